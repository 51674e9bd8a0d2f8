// Package systemd holds what Stoa needs to run on one server under systemd: units, settings,
// the firewall. docs/production.md says how they are used.
package systemd
