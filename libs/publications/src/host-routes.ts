import { depth, longestPrefix, looseForm } from '#libs/tenants';
import type { PublishedRoute } from './published-route';

/** All routes of one host and path, the ones that ask for more first. */
interface Place {
  readonly loose: string;
  readonly routes: PublishedRoute[];
}

/** Upstreams might disagree which place a path belongs to. */
export const DISPUTED = Symbol('disputed');

/** The routes of one host, of one wildcard, or of no host in particular. One map access a segment, whatever is published. */
export class HostRoutes {
  private readonly places = new Map<string, Place>();
  /** How many places have a loose form. */
  private readonly loosePlaces = new Map<string, number>();
  /** How many are not their own loose form; while there are none, paths that are need not be looked up twice. */
  private unlike = 0;
  /** Never less than the depth of the deepest place. */
  private maxDepth = 0;

  get empty(): boolean {
    return this.places.size === 0;
  }

  /** The routes of the longest prefix, in whole segments. */
  find(path: string, loose: string): readonly PublishedRoute[] | undefined | typeof DISPUTED {
    const key = longestPrefix(this.places, path, this.maxDepth);
    const place = key === undefined ? undefined : this.places.get(key);
    if (loose === path && this.unlike === 0) return place?.routes;
    return longestPrefix(this.loosePlaces, loose, this.maxDepth) === place?.loose ? place?.routes : DISPUTED;
  }

  /** @returns a route of somebody else that takes the same, if there is one. */
  add(route: PublishedRoute): PublishedRoute | undefined {
    const { path } = route;
    let place = this.places.get(path);
    if (!place) {
      const loose = looseForm(path);
      this.places.set(path, (place = { loose, routes: [] }));
      this.loosePlaces.set(loose, (this.loosePlaces.get(loose) ?? 0) + 1);
      if (loose !== path) this.unlike += 1;
      this.maxDepth = Math.max(this.maxDepth, depth(path), depth(loose));
    }
    const rival = place.routes.find(({ matchKeys }) =>
      matchKeys.some((key) => route.matchKeys.includes(key)),
    );
    place.routes.push(route);
    if (place.routes.length > 1) place.routes.sort((one, other) => one.compare(other));
    return rival;
  }

  /** Routes of others that take the same. */
  rivalsOf(route: PublishedRoute): PublishedRoute[] {
    return this.places.get(route.path)?.routes.filter((other) => route.rivals(other)) ?? [];
  }

  remove(route: PublishedRoute): void {
    const place = this.places.get(route.path);
    if (!place) return;
    const index = place.routes.indexOf(route);
    if (index >= 0) place.routes.splice(index, 1);
    if (place.routes.length > 0) return;
    this.places.delete(route.path);
    const others = (this.loosePlaces.get(place.loose) ?? 1) - 1;
    if (others > 0) this.loosePlaces.set(place.loose, others);
    else this.loosePlaces.delete(place.loose);
    if (place.loose !== route.path) this.unlike -= 1;
  }
}
