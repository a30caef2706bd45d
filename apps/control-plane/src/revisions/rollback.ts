import { Inject, Injectable } from '@nestjs/common';
import { GatewayError, type FieldProblem } from '#libs/errors';
import {
  Revisions,
  sameTerms,
  shownChange,
  type ConfigKind,
  type RevisedObject,
  type ShownChange,
} from '#libs/revisions';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { STAYS_NEW, keyStep } from './key-rules';
import { StateWriter, type Step } from './state-writer';

export interface RollbackRequest {
  /** The state after this revision is to be again. */
  readonly to: number;
  /** One object, and nothing else. */
  readonly object?: { readonly kind: ConfigKind; readonly id: string };
  /** Also over what other programs have changed since. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
  /** Numbers of which the newest revision must be one. */
  readonly versions?: readonly string[];
}

export interface Skipped {
  readonly kind: ConfigKind;
  readonly id: string;
  readonly tenantId?: string;
  readonly reason: string;
}

export interface RollbackResult {
  readonly changes: ShownChange[];
  readonly skipped: Skipped[];
}

/**
 * What others need comes first: no route ever leads to a service that is not there, and requests under way meet the one
 * state or the other.
 */
const ORDER: readonly ConfigKind[] = [
  'tenant',
  'plan',
  'service',
  'billing_terms',
  'publication',
  'api_key',
  'maintenance',
];
/** What another rollback can put back whole. Tenants and services take keys, money and counters with them. */
const REMOVABLE: readonly ConfigKind[] = ['publication', 'plan', 'maintenance'];

/** The way back to an earlier configuration. It is a change like any other, and becomes a revision itself. */
@Injectable()
export class Rollback {
  constructor(
    private readonly revisions: Revisions,
    private readonly writer: StateWriter,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  /** @throws GatewayError revision_not_found, precondition_failed, conflict or validation_failed */
  async run({
    to,
    object,
    force = false,
    dryRun = false,
    versions,
  }: RollbackRequest): Promise<RollbackResult> {
    const head = await this.revisions.head();
    if (versions && !versions.includes(String(head))) throw new GatewayError('precondition_failed');
    if (to > head) throw new GatewayError('revision_not_found');
    const difference = await this.revisions.difference(head, to);
    const meant = difference.filter(
      ({ kind, id }) => object === undefined || (kind === object.kind && id === object.id),
    );
    const { steps, skipped } = await this.stepsOf(meant, force);
    this.refuseUnservable(steps);
    if (!dryRun) for (const step of steps) await this.take(step);
    return { changes: steps.map(shownChange), skipped };
  }

  /** @throws GatewayError conflict where another program has changed something since */
  private async stepsOf(
    difference: readonly RevisedObject[],
    force: boolean,
  ): Promise<{ steps: Step[]; skipped: Skipped[] }> {
    const steps: Step[] = [];
    const skipped: Skipped[] = [];
    const drifted: string[] = [];
    for (const one of [...difference].sort(inOrder)) {
      const { kind, id, tenantId } = one;
      const now = (await this.options.store.documents.get(one.key)) ?? null;
      const step = stepOf({ ...one, before: now });
      if (typeof step === 'string') skipped.push({ kind, id, tenantId, reason: step });
      else if (differs(step)) {
        // Terms are changed one by one, and their document counts cycles beside them.
        if (now !== one.before && kind !== 'billing_terms') drifted.push(`${kind} ${id}`);
        steps.push(step);
      }
    }
    if (drifted.length > 0 && !force) {
      const what = drifted.slice(0, 5).join(', ');
      throw new GatewayError('conflict', `changed by another program since the last revision: ${what}`);
    }
    return { steps, skipped };
  }

  /** Before anything is written. @throws GatewayError conflict */
  private refuseUnservable(steps: readonly Step[]): void {
    const fields: FieldProblem[] = steps.flatMap((step) =>
      this.writer
        .problemsOf(step)
        .map(({ field, message }) => ({ field: `${step.kind}.${step.id}.${field}`, message })),
    );
    if (fields.length > 0)
      throw new GatewayError('conflict', 'the earlier state cannot be served any more', {
        fields: fields.slice(0, 100),
      });
  }

  private async take(step: Step): Promise<void> {
    try {
      await this.writer.write(step);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.status >= 500) throw error;
      const detail = `${step.kind} ${step.id} cannot be as it was: ${error.message}. What came before it has gone back`;
      throw new GatewayError('conflict', detail, { cause: error, fields: error.fields });
    }
  }
}

function differs({ kind, before, after }: Step): boolean {
  return kind === 'billing_terms' ? !sameTerms(before, after) : before !== after;
}

/** The step for an object, or why there is none. */
function stepOf(one: RevisedObject): Step | string {
  if (one.kind === 'api_key') return keyStep(one, Date.now());
  if (one.after !== null || one.before === null || REMOVABLE.includes(one.kind)) return one;
  return one.kind === 'billing_terms' ? 'were written first since, and stay' : STAYS_NEW;
}

/** What is removed goes the other way round: a plan after the terms that name it. */
function inOrder(a: RevisedObject, b: RevisedObject): number {
  const place = ({ kind, after }: RevisedObject): number =>
    after === null ? ORDER.length * 2 - ORDER.indexOf(kind) : ORDER.indexOf(kind);
  return place(a) - place(b);
}
