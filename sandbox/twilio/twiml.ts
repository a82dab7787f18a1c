const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The texts of the `<Message>` verbs in an answer to an inbound message. Source: twilio.com/docs/messaging/twiml. */
export function readTwimlMessages(xml: string): string[] {
  return [...xml.matchAll(/<Message\b[^>]*>([\s\S]*?)<\/Message>/g)]
    .map(([, inner = '']) => decodeEntities((/<Body>([\s\S]*?)<\/Body>/.exec(inner)?.[1] ?? inner).trim()))
    .filter((text) => text !== '');
}

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);/gi, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    return ENTITIES[name.toLowerCase()] ?? whole;
  });
}
