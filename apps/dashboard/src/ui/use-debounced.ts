import { useEffect, useState } from 'react';

/** The value once it has kept still for a moment, so that typing asks once and not per letter. */
export function useDebounced<T>(value: T, ms = 220): T {
  const [still, setStill] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setStill(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return still;
}
