import * as zlib from 'node:zlib';
import { GenerationalCache } from '../generational-cache';
import { ServedCompression, type CompressionPolicy } from './compression-policy';
import { headerChangesOf, type HeaderChangeFields, type HeaderChanges } from './header-changes';
import { ServedMirror, type MirrorPolicy } from './mirror-policy';
import { PathRewrite, type RewritePolicy } from './path-rewrite';

/** What a route or service makes of the messages that pass it. */
export interface ShapeFields {
  /** Headers of the forwarded request, by name. */
  requestHeaders?: HeaderChangeFields;
  /** The same for the response to the client. */
  responseHeaders?: HeaderChangeFields;
  /** Absent: as the service, the tenant, or the gateway says; false: never. */
  compression?: CompressionPolicy | boolean;
  mirror?: MirrorPolicy;
}

/** A route also says which path its upstream is asked for. */
export interface RouteShapeFields extends ShapeFields {
  rewrite?: RewritePolicy;
}

export const SHAPE_FIELDS = ['requestHeaders', 'responseHeaders', 'compression', 'mirror'] as const;
export const ROUTE_SHAPE_FIELDS = [...SHAPE_FIELDS, 'rewrite'] as const;

/** The same compiled for the request path. */
export class Shape {
  readonly requestHeaders: HeaderChanges | undefined;
  readonly responseHeaders: HeaderChanges | undefined;
  /** False: this one says that nothing is compressed. */
  readonly compression: ServedCompression | false | undefined;
  readonly mirror: ServedMirror | undefined;
  readonly rewrite: PathRewrite | undefined;
  /** What becomes of requests, as text: another one, and another upstream's answer is to be expected. */
  readonly forwardsAs: string;
  /**
   * Whether what is stored for one client may be given to another who has asked for the same. Not where variables or new
   * names tell the upstream what the key of a stored response does not hold, and not where responses are mapped back from the one upstream that has answered.
   */
  readonly isCacheable: boolean;

  /** @param path of the route. */
  constructor(fields: RouteShapeFields, path: string) {
    const { requestHeaders, responseHeaders, compression, mirror, rewrite } = fields;
    this.requestHeaders = headerChangesOf(requestHeaders);
    this.responseHeaders = headerChangesOf(responseHeaders);
    this.compression = compressionOf(compression);
    this.mirror = mirror && mirrorOf(mirror);
    this.rewrite = rewrite && new PathRewrite(rewrite, path);
    this.forwardsAs = JSON.stringify([requestHeaders, rewrite]);
    this.isCacheable = !this.requestHeaders?.dependsOnClient && !rewrite?.query && !rewrite?.responses;
  }
}

/** Undefined where messages pass as they are: that is all a request is to notice of it. */
export function shapeOf(fields: RouteShapeFields, path = '/'): Shape | undefined {
  return ROUTE_SHAPE_FIELDS.some((field) => fields[field] !== undefined)
    ? new Shape(fields, path)
    : undefined;
}

const MAX_COMMON = 1000;
const compressions = new GenerationalCache<ServedCompression>(MAX_COMMON);
const mirrors = new GenerationalCache<ServedMirror>(MAX_COMMON);

/** Many say the same; what is remembered of headers is then remembered for all of them. */
export function compressionOf(
  policy: CompressionPolicy | boolean | undefined,
): ServedCompression | false | undefined {
  if (policy === undefined || policy === false) return policy;
  const fields = policy === true ? {} : policy;
  const key = JSON.stringify(fields);
  let known = compressions.get(key);
  if (!known) {
    known = new ServedCompression(fields, (coding) => coding !== 'zstd' || 'createZstdCompress' in zlib);
    compressions.set(key, known);
  }
  return known;
}

/** A document that is written anew must not forget how its mirror fares. */
function mirrorOf(policy: MirrorPolicy): ServedMirror {
  const key = JSON.stringify(policy);
  let known = mirrors.get(key);
  if (!known) mirrors.set(key, (known = new ServedMirror(policy)));
  return known;
}
