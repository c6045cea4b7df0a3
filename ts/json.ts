/**
 * A value that JSON can hold: what the data and the metadata of an event are made of.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
