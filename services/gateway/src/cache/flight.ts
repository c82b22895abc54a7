/**
 * One look-up at a time for each key: whoever asks meanwhile gets the same answer. Only for what may be as old as the beginning
 * of the look-up; a reader that must see what was acknowledged before it asked reads the branch cache again afterwards.
 * @param isOwn whether an error tells of who began the look-up alone, as of his token: whoever else waits for it then looks himself
 */
export function createFlights<T>(
  isOwn: (error: unknown) => boolean = () => false,
): (key: string, look: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return (key, look) => {
    const joined = flights.get(key);
    if (joined !== undefined) {
      return joined.catch((error: unknown) => {
        if (isOwn(error)) return look();
        throw error;
      });
    }
    const flight = look().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
