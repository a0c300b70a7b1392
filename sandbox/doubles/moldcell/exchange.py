# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The switch: keeps the calls, gives them time, and tells the CRM."""

import asyncio
import contextlib
import time
import uuid

from sandbox.core import BadInput, Conflict, Unknown

from .calls import OUT_FAILURES, Call, WrongState
from .directory import DEFAULT_USER, FALLBACK_GROUP, GROUPS, HOST, USERS, find_user
from .orders import Target, parse_target

_KEEP = 5000


class Exchange:
    """Live and past calls of the tenant, by callid, oldest first."""

    def __init__(self, double, pusher, settings):
        self.double = double
        self.pusher = pusher
        self.settings = settings
        self.clear()

    def clear(self):
        """Forget the calls, who is on "do not disturb", who left which group."""
        self.calls = {}
        self.dnd = set()
        self.unsubscribed = set()
        self._count = 0

    # -- making calls ----------------------------------------------------------
    def place(self, order):
        """Start the call of an order; return the list of calls (two if parallel)."""
        calls = [self._start(order)]
        if "two_parallel" in order.faults and order.direction == "in":
            first = order.to.user if order.to and order.to.user else DEFAULT_USER
            other = next(user for user in USERS if user != first)
            order.to = Target(user=other)
            order.auto = {**order.auto, "by": other}
            calls.append(self._start(order))
        return calls

    def _start(self, order):
        call = Call(
            callid=self._new_id(),
            direction=order.direction,
            phone=order.phone,
            did=order.did,
            started=time.time(),
            faults=order.faults,
            talk=round(order.auto["talk"]) if "talk" in order.auto else None,
            key=order.key,
            skew=self.settings.clock_skew,
        )
        call.root = call.callid
        self._keep(call)
        run = self._outgoing if order.direction == "out" else self._incoming
        self.double.spawn(run(call, order.to, order.auto))
        return call

    def make_call(self, user, phone):
        """The CRM's click to call: ring the employee, then the client."""
        call = Call(self._new_id(), "out", phone, "", time.time())
        call.skew = self.settings.clock_skew
        call.root = call.callid
        self._keep(call)
        auto = {}
        if self.settings.out_answer >= 0:
            auto["answer_after"] = self.settings.out_answer
        self.double.spawn(self._outgoing(call, Target(user=user), auto))
        return call

    async def _incoming(self, call, to, auto):
        # As the PBX does: with a chosen destination the telephones ring at once and
        # the CRM is asked meanwhile; without one its answer decides who rings.
        if to is None:
            call.contact = await self.pusher.ask(call)
            if call.state != "routing":
                return
            to = self._routed(call.contact["responsible"])
        elif call.direction != "internal":
            self.double.spawn(self._who(call))
        self._ring(call, to)
        if call.state == "ringing":
            self.double.spawn(self._ring_limits(call, to))
            await self._follow(call, auto)

    def _routed(self, responsible):
        user = find_user(responsible)
        if not user:
            return Target(user=DEFAULT_USER)
        if user in self.dnd or user in self._busy():
            return Target(group=FALLBACK_GROUP)
        return Target(user=user, steered=True)

    async def _who(self, call):
        call.contact = await self.pusher.ask(call)

    def _ring(self, call, to, without=""):
        """Let the target's telephones ring; nobody there = missed at once."""
        users = [user for user in self._members(to) if user != without]
        self.pusher.send(call, call.ring(users, time.time(), to.group))
        if not users:
            call.user = to.user
            self._act(call, call.give_up)

    def _members(self, to):
        if to.user:
            return [] if to.user in self.dnd else [to.user]
        members = [
            user
            for user in GROUPS[to.group].members
            if user not in self.dnd and (to.group, user) not in self.unsubscribed
        ]
        busy = self._busy()
        return [user for user in members if user not in busy] or members

    def _busy(self):
        return {
            leg.user
            for call in self.calls.values()
            if call.state == "talking"
            for leg in call.legs
            if leg.state == "talking"
        }

    async def _ring_limits(self, call, to):
        if to.steered:
            await asyncio.sleep(self.settings.fallback_after)
            if call.state == "ringing":
                self.pusher.send(call, call.unring(time.time()))
                call.user = ""
                self._ring(call, Target(group=FALLBACK_GROUP), without=to.user)
        await asyncio.sleep(self.settings.ring_timeout)
        if call.state == "ringing":
            self._act(call, call.give_up)

    async def _outgoing(self, call, to, auto):
        call.dial(to.user, time.time())
        self.double.world.touch()
        await asyncio.sleep(self.settings.manager_answer)
        if call.state != "manager":
            return
        self.pusher.send(call, call.manager_answers(time.time()))
        self.double.spawn(self._ring_limits(call, to))
        await self._follow(call, auto)

    async def _follow(self, call, auto):
        """Do by the clock what the order asked to happen by itself."""
        # A person at the page may have been quicker: then the rest is theirs.
        with contextlib.suppress(WrongState, Conflict):
            if "answer_after" in auto:
                await asyncio.sleep(auto["answer_after"])
                by = auto.get("by")
                ringing = [leg.user for leg in call.legs if leg.state == "ringing"]
                self._act(call, call.answer, by if by in ringing else None)
            elif (end := self._first(auto)) is not None:
                await asyncio.sleep(end)
                self.client_hangup(call.callid, None)
                return
            if "transfer_after" in auto:
                await asyncio.sleep(auto["transfer_after"])
                call = self.transfer(call.callid, auto["transfer_to"])
                if "transfer_answer_after" not in auto:
                    return
                await asyncio.sleep(auto["transfer_answer_after"])
                self._act(call, call.answer, None)
            if "hangup_after" in auto and call.state == "talking":
                await asyncio.sleep(auto["hangup_after"])
                self._act(call, call.hangup)

    @staticmethod
    def _first(auto):
        return auto.get("client_hangup_after", auto.get("hangup_after"))

    # -- what people do with a live call -----------------------------------------
    def get(self, callid):
        """Return the call; an ended one that was passed on leads to its newest leg.

        :raises Unknown: no such call
        """
        call = self.calls.get(callid)
        if not call:
            raise Unknown("Nu există un asemenea apel.")
        while call.state == "ended" and call.second in self.calls:
            call = self.calls[call.second]
        return call

    def answer(self, callid, by):
        """Somebody picks up (an outgoing call: the client does)."""
        call = self.get(callid)
        if by and call.direction != "out" and by not in USERS:
            raise BadInput(f"by: unul din {', '.join(USERS)}.")
        return self._act(call, call.answer, by or None)

    def hangup(self, callid):
        """The employee hangs up, refuses, or gives up dialling."""
        call = self.get(callid)
        return self._act(call, call.hangup)

    def client_hangup(self, callid, status):
        """The client hangs up; ``status`` says how an outgoing call failed."""
        call = self.get(callid)
        if status and status not in OUT_FAILURES:
            raise BadInput(f"status: unul din {', '.join(OUT_FAILURES)}.")
        return self._act(call, call.client_hangup, extra=(status or "Busy",))

    def rate(self, callid, mark):
        """The client says how the talk was."""
        if not isinstance(mark, int) or isinstance(mark, bool) or not 1 <= mark <= 5:
            raise BadInput("rating: de la 1 la 5.")
        call = self.get(callid)
        try:
            pushes = call.rate(mark)
        except WrongState as error:
            raise Conflict("Nota se dă după apel.") from error
        self.pusher.send(call, pushes)
        return call

    def transfer(self, callid, to):
        """Pass a talk to another employee or a department; return the new call."""
        parent = self.get(callid)
        target = parse_target(to)
        if target.user and target.user == parent.user:
            raise BadInput("Apelul este deja la acest angajat.")
        users = self._members(target)
        if not users:
            raise Conflict("Acolo nu poate suna nimeni acum.")
        named = target.user or f"{GROUPS[target.group].id}@{HOST}"
        try:
            call, pushes = parent.transfer(
                self._new_id(), named, users, time.time(), target.group
            )
        except WrongState as error:
            raise Conflict(str(error)) from error
        self._keep(call)
        self.pusher.send(parent, pushes)
        self.double.spawn(self._tell_history(parent))
        self.double.spawn(self._ring_limits(call, target))
        return call

    def _act(self, call, verb, *before, extra=()):
        try:
            pushes = verb(*before, time.time(), *extra)
        except WrongState as error:
            raise Conflict(str(error)) from error
        self.pusher.send(call, pushes)
        if call.state == "ended":
            self.double.spawn(self._tell_history(call))
        self.double.world.touch()
        return call

    async def _tell_history(self, call):
        await asyncio.sleep(self.settings.history_delay)
        self.pusher.send(call, [call.history(self.link(call))])

    # -- recordings and bookkeeping ------------------------------------------------
    def link(self, call):
        """Address of the recording as the PBX tells it; empty without a talk."""
        if call.status != "Success" or not call.talk_seconds:
            return ""
        if "link_metadata" in call.faults:
            return "http://169.254.169.254/latest/meta-data/call.mp3"
        return f"{self.double.world.config.public_url}/records/{call.callid}.mp3"

    def _new_id(self):
        self._count += 1
        return f"{uuid.uuid4()}-{self._count:02d}"

    def _keep(self, call):
        self.calls[call.callid] = call
        if len(self.calls) > _KEEP:
            ended = (key for key, old in self.calls.items() if old.state == "ended")
            if oldest := next(ended, None):
                del self.calls[oldest]
        self.double.world.touch()
