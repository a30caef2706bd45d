import { ConfigError, loadConfig } from './config';

export type Environment = Record<string, string | undefined>;

/** The lines with which a start is refused; none when it is not. */
export function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
