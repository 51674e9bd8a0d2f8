// Package app puts the program together: what is configured, what starts and in which
// order, and how it ends. It is the only package that knows all the others.
package app

//go:generate go run ../internal/gendocs ../docs/configuration.md
