import { dayNews } from "@oda_crm/my_day/my_day";

/** A call that rings, is answered or ends changes somebody's day. */
dayNews.add("oda_telephony.call", true);
/** So does a call that is to be returned, or has been. */
dayNews.add("oda_telephony.callback", true);
