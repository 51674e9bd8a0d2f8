// Package postgres is the one door to everything that is kept in Postgres.
//
// A store is a schema and a role of its own in a cell. InStore enters it: one round
// trip begins a transaction, takes the store's role and sets its search path, so that
// the database itself refuses whatever belongs to another store. The logins that the
// program connects with inherit nothing, so that without a store the door stays shut.
//
// InControl enters the platform's own database, InCell the tables that a cell keeps for
// all of its stores. A transaction is always passed explicitly, never in a context.
package postgres
