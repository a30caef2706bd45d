import { GatewayError } from '#libs/errors';
import type { Store } from '#libs/store';
import type { ServiceRepository, TenantRepository } from '#libs/tenants';
import { TOTALS, parseTotalsField, readUsage, totals, type UsageGroup, type UsageRow } from '#libs/usage';
import type { Principal } from '../edge/principal';
import { groupsOf, hoursOf, rangeOf, type AskedRange } from './asked-usage';
import type { KnownKeys } from './known-keys';
import type {
  KeyUsageDto,
  ServiceUsageDto,
  TenantUsageDto,
  TenantUsageQuery,
  TenantUsageRowDto,
  UsageOfAllServicesDto,
  UsageQuery,
  UsageRowDto,
} from './usage.dto';

const OF_SERVICE: readonly UsageGroup[] = ['hour', 'day', 'key', 'route', 'status'];
const OF_TENANT: readonly UsageGroup[] = [...OF_SERVICE, 'service'];
/** Classes of status that count as success (documented). */
const SUCCESSES = ['2xx', '3xx'];

/** Whose usage is read; what is absent is everything. */
interface Part {
  readonly tenantId: string;
  readonly serviceId?: string;
  /** Of the rows; not of the total. */
  readonly keyId?: string;
}

/** What was used, in the words of the documented operations. */
export class UsageReader {
  constructor(
    private readonly store: Store,
    private readonly tenants: TenantRepository,
    private readonly services: ServiceRepository,
    private readonly known: KnownKeys,
  ) {}

  /** @throws GatewayError tenant_not_found, service_not_found or validation_failed */
  async ofService(principal: Principal, serviceId: string, query: UsageQuery): Promise<ServiceUsageDto> {
    const { tenantId } = principal;
    const isConsumer = principal.serviceId !== undefined;
    // Consumers need not know what else there is.
    if (isConsumer && principal.serviceId !== serviceId) throw new GatewayError('service_not_found');
    await this.services.get(tenantId, serviceId);
    const keyId = isConsumer ? principal.keyId : undefined;
    const head = { service_id: Number(serviceId) };
    if (isRanged(query)) {
      const groups = groupsOf(query.group_by, OF_SERVICE, 'group_by');
      const { total, rows, ...times } = await this.ranged({ tenantId, serviceId, keyId }, query, groups);
      return { ...head, total_requests: total, ...times, rows: rows.map(portalRow) };
    }
    const all = await this.store.ledgers.read(tenantId, TOTALS);
    return {
      ...head,
      total_requests: Number(all.get(totals.service(serviceId)) ?? 0n),
      by_api_key: await this.byKey(tenantId, serviceId, all, keyId),
    };
  }

  /** @throws GatewayError tenant_not_found or validation_failed */
  async ofTenant(tenantId: string, query: UsageQuery): Promise<UsageOfAllServicesDto> {
    await this.tenants.get(tenantId);
    const head = { tenant_id: tenantId };
    if (isRanged(query)) {
      const groups = groupsOf(query.group_by, OF_TENANT, 'group_by');
      const { total, rows, ...times } = await this.ranged({ tenantId }, query, groups);
      return { ...head, total_requests: total, ...times, rows: rows.map(portalRow) };
    }
    const services = [...(await this.store.ledgers.read(tenantId, TOTALS))].flatMap(([name, amount]) => {
      const field = parseTotalsField(name);
      if (field?.of !== 'service') return [];
      return [{ service_id: Number(field.serviceId), requests: Number(amount) }];
    });
    return {
      ...head,
      total_requests: services.reduce((sum, { requests }) => sum + requests, 0),
      by_service: services.sort((a, b) => a.service_id - b.service_id),
    };
  }

  /** @throws GatewayError tenant_not_found or validation_failed */
  async forOwner(tenantId: string, query: TenantUsageQuery): Promise<TenantUsageDto> {
    await this.tenants.get(tenantId);
    const [requests = 0n] = await this.store.ledgers.readFields(tenantId, TOTALS, [totals.requests]);
    const shown = { tenantId, counters: { requests: Number(requests) } };
    if (!isRanged({ ...query, group_by: query.groupBy })) return shown;
    const groups = groupsOf(query.groupBy, OF_TENANT, 'groupBy');
    const { total, rows, ...times } = await this.ranged({ tenantId }, query, groups);
    return { ...shown, ...times, totalRequests: total, rows: rows.map(ownerRow) };
  }

  /** The total is of what succeeded; rows are of all that was asked for. */
  private async ranged(
    { tenantId, serviceId, keyId }: Part,
    asked: AskedRange,
    groupBy: readonly UsageGroup[],
  ): Promise<{ total: number; from: string; to: string; rows: UsageRow[] }> {
    const range = { ...rangeOf(asked), serviceId };
    const rows = await readUsage(this.store, tenantId, { ...range, keyId, groupBy });
    const byStatus = await readUsage(this.store, tenantId, { ...range, groupBy: ['status'] });
    const successes = byStatus.filter(({ status = '' }) => SUCCESSES.includes(status));
    const total = successes.reduce((sum, { requests }) => sum + requests, 0);
    return { total, ...hoursOf(range), rows };
  }

  private async byKey(
    tenantId: string,
    serviceId: string,
    all: ReadonlyMap<string, bigint>,
    onlyKey: string | undefined,
  ): Promise<KeyUsageDto[]> {
    const counts = new Map<string, number>();
    for (const [name, amount] of all) {
      const field = parseTotalsField(name);
      if (field?.of === 'serviceKey' && field.serviceId === serviceId)
        counts.set(field.keyId, Number(amount));
    }
    const ids = onlyKey === undefined ? [...counts.keys()].sort() : [onlyKey];
    const known = await this.known.find(tenantId, ids);
    return ids.map((id) => ({
      api_key_id: id,
      name: known.get(id)?.name ?? null,
      prefix: known.get(id)?.prefix ?? null,
      requests: counts.get(id) ?? 0,
    }));
  }
}

function isRanged({ from, to, group_by }: UsageQuery): boolean {
  return from !== undefined || to !== undefined || group_by !== undefined;
}

function portalRow({ service, key, bytesIn, bytesOut, billed, ...row }: UsageRow): UsageRowDto {
  return {
    ...(service !== undefined && { service_id: service === '' ? null : Number(service) }),
    ...(key !== undefined && { api_key_id: key }),
    ...row,
    bytes_in: bytesIn,
    bytes_out: bytesOut,
    billed,
  };
}

function ownerRow({ service, key, ...row }: UsageRow): TenantUsageRowDto {
  return {
    ...(service !== undefined && { serviceId: service === '' ? null : service }),
    ...(key !== undefined && { keyId: key }),
    ...row,
  };
}
