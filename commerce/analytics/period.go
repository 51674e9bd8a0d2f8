package analytics

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Ask is what a report is to be of. What is empty is as usual.
type Ask struct {
	From, To string // days of the store's time zone, as 2026-11-30; the last 30 days
	Interval string // Day, Week, Month; Day
	Compare  string // PreviousPeriod, PreviousYear, or with nothing
	Currency string // the store's main one
	Sort     string // of products and collections: a column of the report; net sales
	Limit    int    // of what is listed by its rank
}

// The intervals.
const (
	Day   = "day"
	Week  = "week" // from Monday
	Month = "month"
)

// What a period is compared with.
const (
	PreviousPeriod = "previous_period" // as many days right before
	PreviousYear   = "previous_year"   // the same days a year before
)

const (
	usualDays = 30
	mostDays  = 3660 // of a report
	mostRows  = 1100 // of one by interval
)

// span is a period: from the first day to the last.
type span struct{ from, to time.Time }

func (s span) days() int { return int(s.to.Sub(s.from).Hours()/24) + 1 }

// previous is the period that this one is compared with.
func (s span) previous(compare string) *span {
	if compare == PreviousYear {
		return &span{yearBefore(s.from), yearBefore(s.to)}
	}
	return &span{s.from.AddDate(0, 0, -s.days()), s.from.AddDate(0, 0, -1)}
}

// yearBefore is the same day a year before, and of the 29th of February the 28th.
func yearBefore(day time.Time) time.Time {
	before := day.AddDate(-1, 0, 0)
	if before.Day() != day.Day() {
		return before.AddDate(0, 0, -1)
	}
	return before
}

// whole are the intervals of a kind that lie within the period as a whole, one after the other;
// ok is whether there are any.
func (s span) whole(interval string) (all span, ok bool) {
	all.from = begins(interval, s.from)
	if all.from.Before(s.from) {
		all.from = follows(interval, all.from)
	}
	all.to = begins(interval, s.to.AddDate(0, 0, 1)).AddDate(0, 0, -1)
	return all, all.from.Before(all.to) || interval == Day
}

// grains are the sums that the period is made of: the coarsest that fit, as they are far fewer.
func (s span) grains(intervals ...string) (list []grain) {
	if s.to.Before(s.from) {
		return nil
	}
	all, ok := s.whole(intervals[0])
	if !ok {
		return s.grains(intervals[1:]...)
	}
	list = append(list, grain{intervals[0], all})
	if rest := intervals[1:]; len(rest) > 0 {
		list = append(list, span{s.from, all.from.AddDate(0, 0, -1)}.grains(rest...)...)
		list = append(list, span{all.to.AddDate(0, 0, 1), s.to}.grains(rest...)...)
	}
	return list
}

// grain is a part of a period, of whole intervals.
type grain struct {
	of string
	span
}

// begins is the first day of the interval that a day is in.
func begins(interval string, day time.Time) time.Time {
	switch interval {
	case Week:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case Month:
		return day.AddDate(0, 0, 1-day.Day())
	}
	return day
}

// follows is the first day of the next interval.
func follows(interval string, first time.Time) time.Time {
	switch interval {
	case Week:
		return first.AddDate(0, 0, 7)
	case Month:
		return first.AddDate(0, 1, 0)
	}
	return first.AddDate(0, 0, 1)
}

// intervals are the intervals of the period, the first and the last cut to it.
func (s span) intervals(interval string) (list []span) {
	for first := begins(interval, s.from); !first.After(s.to); first = follows(interval, first) {
		part := span{first, follows(interval, first).AddDate(0, 0, -1)}
		if part.from.Before(s.from) {
			part.from = s.from
		}
		if part.to.After(s.to) {
			part.to = s.to
		}
		list = append(list, part)
	}
	return list
}

// view is what a report is of.
type view struct {
	Ask
	zone       string
	rebuilding bool
	now        span
	before     *span // that it is compared with; nil for nothing
}

const viewSQL = `
select x.zone, x.rebuilding, x.currency, (now() at time zone x.zone)::date
from (select coalesce(nullif(analytics->'edition'->>'zone', ''), time_zone) as zone, analytics ? 'next' as rebuilding, currency from settings where id = 1) x`

// open finds out what a report is to be of.
func open(ctx context.Context, tx *postgres.Tx, ask Ask) (v view, err error) {
	var today time.Time
	var currency string
	v.Ask = ask
	if err := tx.QueryRow(ctx, viewSQL).Scan(&v.zone, &v.rebuilding, &currency, &today); err != nil {
		return v, fmt.Errorf("read what reports are of: %w", err)
	}
	if v.Currency == "" {
		v.Currency = currency
	}
	if !money.Known(v.Currency) {
		return v, problem.New(problem.Unprocessable, "unknown_currency", "There is no such currency.").At("?currency", "unknown_currency", "It is an ISO 4217 code.")
	}
	if v.Interval == "" {
		v.Interval = Day
	}
	v.now, err = period(ask, today)
	if err != nil {
		return v, err
	}
	if len(v.now.intervals(v.Interval)) > mostRows {
		return v, wrongPeriod("?interval", "Ask for a longer interval: there would be more than %d.", mostRows)
	}
	if ask.Compare != "" {
		v.before = v.now.previous(ask.Compare)
	}
	return v, nil
}

// period is the one that is asked for: up to today and over 30 days, where it is not said.
func period(ask Ask, today time.Time) (s span, err error) {
	s.to = time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	if ask.To != "" {
		if s.to, err = time.Parse(time.DateOnly, ask.To); err != nil {
			return s, wrongPeriod("?to", "It is a day, as 2026-11-30.")
		}
	}
	s.from = s.to.AddDate(0, 0, 1-usualDays)
	if ask.From != "" {
		if s.from, err = time.Parse(time.DateOnly, ask.From); err != nil {
			return s, wrongPeriod("?from", "It is a day, as 2026-11-01.")
		}
	}
	switch {
	case s.from.After(s.to):
		return s, wrongPeriod("?from", "It is not after the last day.")
	case s.days() > mostDays:
		return s, wrongPeriod("?from", "A report is of %d days at most.", mostDays)
	}
	return s, nil
}

func wrongPeriod(at, detail string, args ...any) error {
	return problem.New(problem.Unprocessable, "period_invalid", "There is no report of such a period.").At(at, "period_invalid", detail, args...)
}
