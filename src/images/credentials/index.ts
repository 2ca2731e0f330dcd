/** Credentials of users, as the tools around containers keep them. */
export {
  type CredentialsSearch,
  credentialsHint,
  type FoundCredentials,
  findCredentials,
} from './find-credentials.ts';
