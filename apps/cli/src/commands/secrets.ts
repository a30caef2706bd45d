import type { Document } from '../admin-api';
import { openSecretFile } from '../files';
import type { Output } from '../output/output';

/** A secret that the gateway shows once: where it is in the answer, and how it is called. */
interface ShownOnce {
  /** Field of the answer. */
  field: string;
  what: string;
  outputFile: string | undefined;
}

/**
 * Has a secret made and prints it alone on stdout, so that `key=$(gatehouse key create …)` works; what else is known of
 * it goes to stderr. With a file it is in the file and nowhere else.
 * @returns the answer
 */
export async function makeSecret(
  output: Output,
  { field, what, outputFile }: ShownOnce,
  make: () => Promise<Document>,
): Promise<Document> {
  const file = outputFile === undefined ? undefined : openSecretFile(outputFile);
  let made: Document;
  try {
    made = await make();
  } catch (error) {
    file?.discard();
    throw error;
  }
  const { [field]: secret, ...rest } = made;
  const id = String(rest.id ?? rest.jti);
  file?.keep(String(secret));
  output.result(file ? rest : made, () => (file ? '' : String(secret)));
  output.note(file ? `${what} ${id} is in ${outputFile}` : `${what} ${id}: it is not shown again`);
  return made;
}
