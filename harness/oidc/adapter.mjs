// What the provider stores, in memory, where tests can look into it. The interface is the one that
// oidc-provider asks of an adapter. Nothing is forgotten when it expires: the provider looks at the
// time by itself.

/** A store, and the adapters of its models. */
export function memoryStore() {
  const models = new Map();
  const rows = (model) => models.get(model) ?? models.set(model, new Map()).get(model);

  class Adapter {
    constructor(model) {
      this.rows = rows(model);
    }

    async upsert(id, payload) {
      this.rows.set(id, payload);
    }

    async find(id) {
      return this.rows.get(id);
    }

    async findByUid(uid) {
      return this.rows.values().find((row) => row.uid === uid);
    }

    async findByUserCode(userCode) {
      return this.rows.values().find((row) => row.userCode === userCode);
    }

    async consume(id) {
      this.rows.get(id).consumed = Math.floor(Date.now() / 1000);
    }

    async destroy(id) {
      this.rows.delete(id);
    }

    async revokeByGrantId(grantId) {
      for (const [id, row] of this.rows) {
        if (row.grantId === grantId) this.rows.delete(id);
      }
    }
  }

  return { Adapter, rows };
}
