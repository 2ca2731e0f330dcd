/** The part of the WebAssembly interface that is used here; neither `lib` nor Node's types declare it. */
declare global {
  namespace WebAssembly {
    interface Module {
      readonly kind?: 'module';
    }
    interface Memory {
      /** Another one after the memory has grown. */
      readonly buffer: ArrayBuffer;
    }
    interface Instance {
      readonly exports: object;
    }
    interface WebAssemblyInstantiatedSource {
      readonly module: Module;
      readonly instance: Instance;
    }
    function instantiate(module: Module, imports: Readonly<Record<string, object>>): Promise<Instance>;
  }
}

/** The memory of an instance, whose views are taken anew for each access: growing it detaches them. */
export class WasmMemory {
  readonly #memory: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  write(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
  }

  /** A copy. */
  read(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer.slice(address, address + length));
  }

  /** The n-th of the 32 bit numbers that begin at the address. */
  field(address: number, n: number): number {
    return new DataView(this.#memory.buffer).getUint32(address + 4 * n, true);
  }

  setField(address: number, n: number, value: number): void {
    new DataView(this.#memory.buffer).setUint32(address + 4 * n, value, true);
  }
}
