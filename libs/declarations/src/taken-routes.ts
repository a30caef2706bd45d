import { matchKeys } from '#libs/publications';
import type { FileProblem } from './problem';
import type { ReadFile } from './read-file';

/**
 * Routes of a file that another tenant of a gateway publishes already: once the file is there, it has them (docs/adr/0012).
 * @param publishers ids of tenants by what they publish, see `matchKeys`.
 */
export function takenRoutes({ declared }: ReadFile, publishers: ReadonlyMap<string, string>): FileProblem[] {
  if (!declared) return [];
  const { project, source } = declared;
  return project.routes.flatMap((route, index) => {
    const others = matchKeys(route).map((key) => publishers.get(key));
    const other = others.find((id) => id !== undefined && id !== project.tenant.id);
    if (other === undefined) return [];
    const message = `tenant "${other}" of the gateway publishes the same: from this file it is served, and that one no more`;
    return [source.place({ path: project.places.route(index, ['path']), message, severity: 'warning' })];
  });
}
