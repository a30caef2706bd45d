import { useCallback, useState } from 'react';

/** Values of a form by field, and setters that stay the same between renders. */
export function useForm<Values extends object>(initial: Values) {
  const [values, setValues] = useState(initial);
  const set = useCallback(
    <Name extends keyof Values>(name: Name) =>
      (value: Values[Name]) =>
        setValues((before) => ({ ...before, [name]: value })),
    [],
  );
  return { values, set, setValues };
}

/** What was typed as a list: by lines or commas. */
export const listOf = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** An empty field is no number. What is not a number goes to the gateway as it is, which says what is wrong with it. */
export function numberOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isNaN(value) ? (trimmed as unknown as number) : value;
}
