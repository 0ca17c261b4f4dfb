/** The parts of a running service: started one after the other, closed in reverse, each able to say that it cannot do its work. */
import type { PartHealth } from '../http/index.js';

export interface ServicePart {
  readonly name: string;
  /** Why it cannot do its work now; undefined where it can. Nothing of a patient. */
  trouble?(): string | undefined;
  close(): Promise<void>;
}

export class Parts {
  readonly #parts: ServicePart[] = [];
  readonly #common = new Set<ServicePart>();

  /**
   * @param isCommon its trouble is that of all nodes: another one could do no better
   * @returns the part itself
   */
  add<Part extends ServicePart>(part: Part, isCommon = false): Part {
    this.#parts.push(part);
    if (isCommon) this.#common.add(part);
    return part;
  }

  health(): PartHealth[] {
    return this.#parts.map((part) => {
      const trouble = part.trouble?.();
      return { part: part.name, ...(trouble !== undefined && { trouble }) };
    });
  }

  /** Whether no other node would do better: a scan is reconstructed and returned, also where it cannot be kept. */
  get isFine(): boolean {
    return this.#parts.every((part) => this.#common.has(part) || part.trouble?.() === undefined);
  }

  /** Every part, the last one first, whatever becomes of the others. @throws AggregateError */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const part of this.#parts.splice(0).reverse()) {
      try {
        await part.close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'parts of the service did not close');
  }
}
