import { answered, type Schemas } from '../api/client';
import { platform } from './session';

/** Whether this browser can take passkeys at all. */
export const takesPasskeys = () => 'PublicKeyCredential' in window && 'parseRequestOptionsFromJSON' in PublicKeyCredential;

/** Signs in whoever unlocks a passkey. */
export async function signInByPasskey() {
  const { data: asked } = await answered(platform.api.POST('/v1/session/passkey/options'));
  const signed = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key as never) });
  return answered(platform.api.POST('/v1/session/passkey', { body: { token: asked.token, credential: toJSON(signed) } }));
}

/** Makes a passkey on this device, and keeps it under a name. */
export async function addPasskey({ name, password }: { name: string; password: string }) {
  const { data: asked } = await answered(platform.api.POST('/v1/account/passkeys/options', { body: { password } }));
  const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked.public_key as never) });
  return answered(platform.api.POST('/v1/account/passkeys', { body: { token: asked.token, name, credential: toJSON(made) } }));
}

/** Whether the owner thought better of it, or let the time pass. */
export const letBe = (error: unknown) => error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError');

const toJSON = (credential: Credential | null) => (credential as PublicKeyCredential).toJSON() as Schemas['PasskeySignIn']['credential'];
