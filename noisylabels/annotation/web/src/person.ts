/** Whose browser this is, on every page; and the way out. */

import { post } from "./api";
import { find, told } from "./elements";

/** Show the person's name; the button beside it ends their cookie. */
export function showPerson(name: string): void {
  find("person").textContent = name;
  find("person").title = name;
  find("logout").addEventListener("click", () =>
    void told(async () => {
      await post("/api/logout");
      location.assign("/");
    }),
  );
}
