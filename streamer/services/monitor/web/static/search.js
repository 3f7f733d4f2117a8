// Finds one ticket by its id and shows its whole way.

import { byId, fill, say } from "./dom.js";
import { get } from "./server.js";
import { way } from "./way.js";

export class Search {
  #turn = 0;

  constructor() {
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.find(byId("search-id").value);
    });
    addEventListener("hashchange", () => this.start());
  }

  /** Look for the ticket that the address names after #ticket=, if any. */
  start() {
    const [, id] = /^#ticket=(.+)$/.exec(location.hash) ?? [];
    if (id !== undefined) this.find(named(id));
  }

  async find(id) {
    const wanted = id.trim();
    if (!wanted) return;
    const turn = ++this.#turn;
    byId("search-id").value = wanted;
    history.replaceState(null, "", `#ticket=${encodeURIComponent(wanted)}`);
    byId("find").scrollIntoView({ block: "start" });
    say(byId("search-status"), "Looking through Kafka …");
    fill(byId("way"));
    try {
      const seconds = byId("search-since").value;
      const found = await get(`/api/tickets/${encodeURIComponent(wanted)}?seconds=${seconds}`);
      if (turn === this.#turn) this.#show(wanted, found);
    } catch (error) {
      if (turn === this.#turn) say(byId("search-status"), `Not found: ${error.message}`);
    }
  }

  #show(id, found) {
    say(byId("search-status"), found.found ? `This is the way of ${id}.` : `Nothing is known of ${id}.`);
    fill(byId("way"), way(found));
  }
}

function named(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
