/** What the pool and its threads say to each other. */
export interface ToThread {
  readonly index: number;
  readonly item: unknown;
}

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Present if it was an InputError. */
  readonly input?: { readonly where: string; readonly problem: string };
}

export type FromThread =
  { readonly ready: true } | { readonly index: number; readonly result?: unknown; readonly error?: SentError };
