import { dataValue, fn } from "@openfn/language-common";

export default [fn((state) => ({ ...state, data: { name: dataValue("name_first")(state), status: "open" } }))];
