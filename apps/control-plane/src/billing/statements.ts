import { toJson, verifyStatement, type Statement } from '#libs/billing';
import { GatewayError } from '#libs/errors';
import { keys, type Store } from '#libs/store';

const STATEMENT_ID = /^[0-9a-z]{1,64}-\d{6,15}$/;

/** Closed billing cycles. They are written once and never changed or removed, not even with their tenant. */
export class Statements {
  constructor(private readonly store: Store) {}

  /** Writes a statement, unless there is one under its id. Returns the one that is there then. */
  async issue(statement: Statement): Promise<Statement> {
    const { tenantId, id } = statement;
    // The entry comes first: whatever interrupts this, no statement stays unlisted. One without a statement is skipped.
    await this.store.documents.indexAdd(keys.statementIndex(tenantId), id);
    const done = await this.store.documents.put(keys.statement(tenantId, id), toJson(statement), 'absent');
    return done ? statement : this.get(tenantId, id);
  }

  /** @throws Error for one that is not as it was issued: nobody must be charged by it. */
  async find(tenantId: string, id: string): Promise<Statement | undefined> {
    if (!STATEMENT_ID.test(id)) return undefined;
    const text = await this.store.documents.get(keys.statement(tenantId, id));
    if (text === undefined) return undefined;
    const { statement, problems } = verifyStatement(JSON.parse(text));
    if (!statement) throw new Error(`statement ${id} has been changed: ${JSON.stringify(problems)}`);
    return statement;
  }

  /** @throws GatewayError statement_not_found */
  async get(tenantId: string, id: string): Promise<Statement> {
    const statement = await this.find(tenantId, id);
    if (!statement) throw new GatewayError('statement_not_found');
    return statement;
  }

  /**
   * Up to `limit` statements after the one named `after`, oldest first, and the id to go on from, if there are more.
   * @param series only statements of this series; absent: also those of tenants that had the id before.
   */
  async list(
    tenantId: string,
    after: string,
    limit: number,
    series?: string,
  ): Promise<{ statements: Statement[]; next?: string }> {
    const prefix = series === undefined ? '' : `${series}-`;
    const position = after < prefix ? prefix : after;
    const found = await this.store.documents.indexPage(keys.statementIndex(tenantId), position, limit + 1);
    const ids = found.filter((id) => id.startsWith(prefix));
    const page = ids.slice(0, limit);
    const statements = await Promise.all(page.map((id) => this.find(tenantId, id)));
    return {
      statements: statements.filter((statement) => statement !== undefined),
      next: ids.length > limit ? page.at(-1) : undefined,
    };
  }
}
