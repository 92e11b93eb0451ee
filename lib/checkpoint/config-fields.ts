/**
 * Typed access to the fields of a config.json: each field is checked for its type and range, and errors name field,
 * value and limit.
 */

import { refuse, refuseUnsupported, shown } from './refusal.js';
import { isJsonObject, type JsonObject } from './strict-json.js';

/** Both ends are allowed. */
export interface Range {
  min: number;
  max: number;
}

export class ConfigFields {
  readonly path: string;
  readonly #fields: JsonObject;
  readonly #prefix: string;

  /** `prefix` stands in front of a field's name in errors: the path to a nested object. */
  constructor(path: string, fields: JsonObject, prefix = '') {
    this.path = path;
    this.#fields = fields;
    this.#prefix = prefix;
  }

  /** Whether the field is there and not null. */
  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /** A whole number; `fallback` undefined means that the field is required. */
  integer(name: string, range: Range, fallback?: number): number {
    const value = this.number(name, range, fallback);
    return Number.isInteger(value) ? value : this.fail(name, `must be a whole number`);
  }

  number(name: string, range: Range, fallback?: number): number {
    const value = this.#get(name) ?? fallback;
    if (value === undefined) return refuse(this.path, `${this.#prefix}${name} is missing`);
    if (typeof value !== 'number') return this.fail(name, 'must be a number');
    if (!(value >= range.min && value <= range.max)) this.fail(name, `must be from ${range.min} to ${range.max}`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.#get(name) ?? false;
    return typeof value === 'boolean' ? value : this.fail(name, 'must be true or false');
  }

  text(name: string): string | null {
    const value = this.#get(name) ?? null;
    return value === null || typeof value === 'string' ? value : this.fail(name, 'must be a string');
  }

  texts(name: string): string[] | null {
    const value = this.#get(name) ?? null;
    const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return value === null || isTexts ? value : this.fail(name, 'must be a list of strings');
  }

  object(name: string): ConfigFields | null {
    const value = this.#get(name) ?? null;
    if (value === null) return null;
    if (!isJsonObject(value)) return this.fail(name, 'must be an object');
    return new ConfigFields(this.path, value, `${this.#prefix}${name}.`);
  }

  names(): string[] {
    return Object.keys(this.#fields);
  }

  /** ERR_CHECKPOINT: the field's value makes no sense. */
  fail(name: string, requirement: string): never {
    return refuse(this.path, `${this.#prefix}${name} ${requirement}, got ${shown(this.#get(name))}`);
  }

  /** ERR_UNSUPPORTED: the field's value makes sense, but not to this build. */
  unsupported(name: string, supported: string): never {
    return refuseUnsupported(this.path, `${this.#prefix}${name} is ${shown(this.#get(name))}; supported: ${supported}`);
  }

  #get(name: string): unknown {
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    return value ?? undefined;
  }
}
