// Package accounts knows the people who sign in to the platform: how they sign up and in,
// their e-mail addresses, passwords and authenticators. Which stores they belong to it
// reads; roles and invitations are not its matter.
//
// Every change of how an account is signed in to grows its epoch, in the transaction of
// the change. Sessions carry the epoch that they began under, and one of an earlier epoch
// has ended, whether or not Redis could be told.
package accounts
