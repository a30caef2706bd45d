import { useMutation } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { fieldError } from '../api/problem';

/** Fields that are typed or chosen; a check box has no text. */
type TextNames<Values> = { [Name in keyof Values]: Values[Name] extends string ? Name : never }[keyof Values];

interface FormTerms<Values, Result> {
  initial: Values;
  send: (values: Values) => Promise<Result>;
  onDone?: (result: Result) => unknown;
}

/**
 * What is typed, and what the gateway says to it. `field('name')` is all that a field needs; `form` all that the form
 * around it does.
 */
export function useForm<Values extends object, Result = unknown>(terms: FormTerms<Values, Result>) {
  const { send, onDone } = terms;
  const [values, setValues] = useState(terms.initial);
  const { mutate, isPending, error, data } = useMutation<Result, Error, Values>({
    mutationFn: send,
    onSuccess: (result) => onDone?.(result),
  });
  const set = useCallback(
    <Name extends keyof Values>(name: Name) =>
      (value: Values[Name]) =>
        setValues((before) => ({ ...before, [name]: value })),
    [],
  );
  /** @param names what the gateway calls it, where that is another name. */
  const field = <Name extends TextNames<Values> & string>(name: Name, ...names: string[]) => ({
    value: values[name] as string,
    onChange: set(name) as (value: string) => void,
    error: fieldError(error, ...(names.length > 0 ? names : [name])),
  });
  const form = { busy: isPending, error: error as unknown, onSubmit: () => mutate(values) };
  return { values, set, field, form, result: data };
}

/** What was typed as a list: by lines or commas. */
export const listOf = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** null is how a patch takes a field away. */
export const orNull = (list: string[]): string[] | null => (list.length > 0 ? list : null);

/** An empty field is no number. What is not a number goes to the gateway as it is, which says what is wrong with it. */
export function numberOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isNaN(value) ? (trimmed as unknown as number) : value;
}

/** What a field shows of something that may not be there. */
export const textOf = (value: string | number | boolean | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);
