import { Host } from 'distribus';

export async function visit(): Promise<string | null | undefined> {
  await using host = new Host();
  const disposable: AsyncDisposable = host;
  void disposable;
  await host.listen('localhost', 0);
  return host.url;
}
