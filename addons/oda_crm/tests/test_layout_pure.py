# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
import re

from hypothesis import HealthCheck, settings
from hypothesis import given as given_by
from hypothesis import strategies as st
from lxml import etree

from odoo.tests import BaseCase, tagged

from odoo.addons.oda_crm import layout


def given(*strategies):
    """Hypothesis' own, patient: the first text of a fresh machine takes seconds."""
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: patient(given_by(*strategies)(test))


def field(name="city", **more):
    vals = {
        "name": name,
        "label": name.title(),
        "type": "char",
        "form": True,
        "kanban": False,
        "width": "half",
    }
    return vals | more


def group(*fields, flows=(), name="Need", key="k1", folded=False):
    return {
        "key": key,
        "name": name,
        "folded": folded,
        "flows": list(flows),
        "fields": list(fields),
    }


TAKEN = ("x_oda_field", "x_oda_a", "x_oda_b", "x_oda_0")
texts = st.text(max_size=80)
flows = st.lists(st.integers(1, 5), max_size=3, unique=True)
fields_ = st.builds(
    field,
    name=st.from_regex(r"x_oda_[a-z]{1,8}", fullmatch=True),
    label=texts,
    type=st.sampled_from(sorted(layout.SHOWN)),
    form=st.booleans(),
    kanban=st.booleans(),
    width=st.sampled_from(["half", "full"]),
)
groups_ = st.lists(
    st.builds(
        lambda fields, flows, name: group(*fields, flows=flows, name=name),
        st.lists(fields_, max_size=6),
        flows,
        texts,
    ),
    max_size=5,
)


@tagged("post_install", "-at_install")
class TestLayoutPure(BaseCase):
    @given(st.text(max_size=80), st.sets(st.sampled_from(TAKEN)))
    def test_a_name_is_always_one_that_the_database_takes(self, label, taken):
        name = layout.technical_name(label, taken)
        self.assertRegex(name, r"^x_oda_[a-z0-9_]{1,44}$")
        self.assertFalse(name.startswith(layout.BRIDGE))
        self.assertNotIn(name, taken)
        again = layout.technical_name(label, taken | {name})
        self.assertNotEqual(again, name)
        self.assertLessEqual(len(f"{again}_rel"), 63)

    def test_a_name_taken(self):
        taken = {"x_oda_sum", "x_oda_sum_2"}
        self.assertEqual(layout.technical_name("Sum", taken), "x_oda_sum_3")

    def test_names_of_three_alphabets(self):
        for label, name in (
            ("Suma cerută", "x_oda_suma_ceruta"),
            ("Сумма гранта", "x_oda_summa_granta"),
            ("Țară și județ", "x_oda_tara_si_judet"),
            ("…", "x_oda_field"),
            ("P-value", "x_oda_f_p_value"),
            ("select", "x_oda_select"),
        ):
            with self.subTest(label=label):
                self.assertEqual(layout.technical_name(label, ()), name)

    @given(groups_)
    def test_whatever_the_labels_the_view_is_xml(self, groups):
        for nodes in (layout.form_nodes(groups), layout.kanban_nodes(groups)):
            root = etree.Element("form")
            root.extend(nodes)
            etree.fromstring(etree.tostring(root))

    @given(groups_)
    def test_the_form_shows_each_field_of_the_form_once_a_group(self, groups):
        nodes = layout.form_nodes(groups)
        drawn = [n.get("name") for node in nodes for n in node.iter("field")]
        told = [f["name"] for g in groups for f in layout.form_fields(g)]
        self.assertEqual(drawn, told)

    @given(groups_)
    def test_the_kanban_names_each_field_once(self, groups):
        names = [node.find("field").get("name") for node in layout.kanban_nodes(groups)]
        self.assertEqual(len(names), len(set(names)))

    @given(groups_, st.integers(1, 6))
    def test_room_is_counted_by_what_a_flow_draws(self, groups, flow):
        crowded = layout.too_many(groups, [flow])
        shown = layout.shown_in(groups, flow)
        names = {f["name"] for g in shown for f in g["fields"] if f["kanban"]}
        self.assertEqual(flow in crowded, len(names) > layout.ON_KANBAN)

    def test_only_the_flows_of_the_group_show_it(self):
        bar, holder = layout.form_nodes([group(field(), flows=[7, 3])])
        self.assertEqual(holder.get("invisible"), "team_id not in [3, 7]")
        self.assertEqual(json.loads(bar.get("sections"))[0]["flows"], [3, 7])
        (_bar, holder) = layout.form_nodes([group(field())])
        self.assertIsNone(holder.get("invisible"))

    def test_a_kanban_field_of_two_groups_shows_in_the_flows_of_both(self):
        shown = field(kanban=True)
        (line,) = layout.kanban_nodes(
            [group(shown, flows=[3]), group(shown, flows=[5], key="k2")]
        )
        self.assertEqual(line.get("invisible"), "(team_id not in [3, 5]) or not city")
        (line,) = layout.kanban_nodes(
            [group(shown, flows=[3]), group(shown, key="k2"), group(shown, flows=[4])]
        )
        self.assertEqual(line.get("invisible"), "not city")

    def test_columns_are_read_downwards(self):
        names = ["a", "b", "c"]
        (_bar, holder) = layout.form_nodes([group(*map(field, names))])
        columns = holder.findall("group/group")
        drawn = [[n.get("name") for n in column] for column in columns]
        self.assertEqual(drawn, [["a", "b"], ["c"]])

    def test_a_beneficiary_field_has_the_beneficiary_label(self):
        bridge = field("x_oda_p_function", label="Post")
        (_bar, holder) = layout.form_nodes([group(bridge)])
        node = holder.find(".//field")
        self.assertEqual(node.get("string"), "Post")
        self.assertEqual(node.get("readonly"), "not partner_id")

    def test_questions_stand_where_a_group_has_them(self):
        questions = field("lead_properties", type="properties")
        self.assertEqual(layout.property_flows([group(field())]), [])
        self.assertEqual(layout.property_flows([group(questions, flows=[5])]), [5])
        self.assertIsNone(layout.property_flows([group(questions)]))

    def test_a_group_without_a_field_is_not_drawn(self):
        self.assertEqual(layout.form_nodes([group(field(form=False))]), [])
        self.assertEqual(layout.form_nodes([]), [])

    @given(texts)
    def test_clean_text_is_what_xml_carries(self, text):
        etree.Element("a").set("b", layout.clean(text))
        self.assertFalse(re.search("[\x00-\x08\x0b\x0c]", layout.clean(text)))
