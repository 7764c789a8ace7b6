// Whose a turn, a file or an event is, so that the panel can show the chosen person alone.

export class People {
  /** `session` has the chosen person, `known` maps a BSUID to a person. */
  constructor(session, known) {
    Object.assign(this, { session, known, only: true, conversations: new Map(), owners: new Map() });
  }

  /** Learn whose messages these are, and whose conversation. */
  learn(wamid, bsuid, conversation) {
    this.owners.set(wamid, bsuid);
    if (conversation) this.conversations.set(conversation, bsuid);
  }

  /** Learn a turn's person from its messages; returns the BSUID. */
  turn({ conversation, messages = [] }) {
    const found = messages.map((one) => this.owners.get(one.message ?? one)).find(Boolean);
    if (found) this.conversations.set(conversation, found);
    return this.conversations.get(conversation);
  }

  /** The BSUID of a conversation's person. */
  of(conversation) {
    return this.conversations.get(conversation);
  }

  /** The first of these ids that is a person's BSUID, phone or message. */
  ofAny(ids) {
    for (const id of ids) {
      if (this.known.has(id)) return id;
      const byPhone = [...this.known.values()].find(({ phone }) => phone === id)?.bsuid;
      if (byPhone ?? this.owners.get(id)) return byPhone ?? this.owners.get(id);
    }
    return undefined;
  }

  name(bsuid) {
    const person = this.known.get(bsuid);
    return person?.name || person?.phone;
  }

  /** Whether the panel shows what belongs to this person. */
  shows(bsuid) {
    return !this.only || !bsuid || bsuid === this.session.person?.bsuid;
  }

  /** A person has another id now. */
  moved(was, bsuid) {
    for (const map of [this.conversations, this.owners]) for (const [key, value] of map) if (value === was) map.set(key, bsuid);
  }
}
