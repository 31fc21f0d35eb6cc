// Which blocks took the place of which, so that a query goes on with those that it saw first.
import type { ListedBlock } from "./block_list_times.ts";

type Blocks = ReadonlyMap<string, ListedBlock>;

/** A mark holds the last one that was made before it, and finds the later ones behind it; those that no mark can reach are garbage. */
interface Replacement {
  tenant: string;
  removed: readonly ListedBlock[];
  added: ReadonlySet<string>;
  next: Replacement | null;
}

export class Replacements {
  #last: Replacement = { tenant: "", removed: [], added: new Set(), next: null };

  /** @param added ids, of which some may be taken back later: those were not added by this */
  add(tenant: string, removed: readonly ListedBlock[], added: ReadonlySet<string>): void {
    const replacement: Replacement = { tenant, removed, added, next: null };
    this.#last.next = replacement;
    this.#last = replacement;
  }

  /** @returns what gives the blocks of a tenant, of those that are live, without the replacements that came after this call */
  mark(): (tenant: string, live: Blocks) => Blocks {
    const since = this.#last;
    return (tenant, live) => {
      const later: Replacement[] = [];
      for (let each = since.next; each !== null; each = each.next) {
        if (each.tenant === tenant) later.push(each);
      }
      if (later.length === 0) return live;
      const blocks = new Map(live);
      for (const { removed, added } of later.reverse()) {
        for (const id of added) blocks.delete(id);
        for (const block of removed) blocks.set(block.meta.blockID, block);
      }
      return blocks;
    };
  }
}
