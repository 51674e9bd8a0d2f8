// Package site is the platform's own host: what it is, how to sign up and in, which stores
// somebody has, the pages that mails to merchants lead to, the API's documentation, and in
// development the mailbox. It decides nothing: accounts and stores do.
package site

//go:generate go tool templ generate -path . -lazy=false
