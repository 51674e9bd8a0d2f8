// Package credit owns what the shop owes shoppers: gift cards, which belong to whoever has
// their code, and the store credit of customers, one account a currency. Either is an
// account with a ledger. An entry is written with the balance that it leaves, in the
// transaction of what it is for, and is never changed; the balance is never negative.
//
// What is spent at a checkout is a payment of the order, whose entry is written when the
// attempt begins, and which is given back when that fails.
package credit
