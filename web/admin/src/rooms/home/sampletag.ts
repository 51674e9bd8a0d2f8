/** What sample products are known by; it stands alone, as the samples come when they are first wanted. */
export const sampleTag = 'sample-data';
