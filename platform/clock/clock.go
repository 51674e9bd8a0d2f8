// Package clock tells the time, always in UTC and to the microsecond that Postgres
// keeps, so that a value read back equals the value written.
package clock

import "time"

// Now is the present instant in UTC, truncated to microseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
