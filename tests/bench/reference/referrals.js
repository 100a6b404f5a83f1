// The mapping of 2a, as its job in the reference runner would have it: plain values, look-ups, dates, cut texts.
import { each, fn } from "@openfn/language-common";

const SERVICE_TYPES = { alternative_care: "Alternative Care", food: "Family Reunification Service" };
const SEXES = { unknown_4b34795: "unknown", other_b25f252: "other" };
const LANGUAGES = { language1: "Anyuak", language2: "Nuer", language3: "Dinka", language4: "Bari" };

const cut = (text, limit) => (text ? text.replace(/<[^>]*>/g, "").trim().slice(0, limit) : null);
const date = (text) => (text ? new Date(text).toISOString().slice(0, 10) : null);

const referral = ({ case: child, service }, contact) => ({
  id: `${child.case_id}#${service.unique_id.slice(-12)}`,
  request_type: "ReceiveIncomingReferral",
  primero_user: child.owned_by,
  position: contact.position,
  email: contact.email,
  phone: contact.phone,
  full_name: contact.full_name,
  service_type: SERVICE_TYPES[service.service_type],
  service_type_other: cut(service.service_type_other, 1000),
  service_response_day_time: service.service_response_day_time ?? null,
  service_referral_notes: cut(service.service_referral_notes, 10000) ?? "Primero referral",
  service_implementing_agency: "UNICEF",
  owned_by_agency_id: "UNICEF",
  unhcr_individual_no: child.unhcr_individual_no ?? null,
  unhcr_id_no: child.unhcr_id_no ?? null,
  name_first: child.name_first ?? null,
  name_middle: child.name_middle ?? null,
  name_last: child.name_last ?? null,
  name_nickname: child.name_nickname ?? null,
  address_current: cut(child.address_current, 1000),
  date_of_birth: date(child.date_of_birth),
  sex: SEXES[child.sex] ?? child.sex,
  telephone_current: cut(child.telephone_current, 100),
  language: child.language.map((one) => LANGUAGES[one] ?? "Other").join(", "),
  consent_for_services: child.consent_for_services,
  disclosure_other_orgs: child.disclosure_other_orgs,
});

export default [
  fn((state) => ({ ...state, sent: [] })),
  each(
    "$.records[*]",
    fn((state) => {
      state.sent.push(referral(state.data, state.contact));
      return state;
    })
  ),
];
