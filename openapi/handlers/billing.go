package handlers

import (
	"context"
	"time"

	"github.com/stoacommerce/stoa/billing"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Billing answers for plans and usage.
type Billing struct {
	Plans *billing.Plans
	Meter *billing.Meter
}

// Operations are the handlers by operationId.
func (h *Billing) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{"listPlans": h.plans, "getUsage": h.usage}
}

// plan is the contract's Plan: a limit that does not exist is null.
type plan struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	RequestsPerMinute int64  `json:"requests_per_minute"`
	RequestsPerDay    *int64 `json:"requests_per_day"`
	Products          *int   `json:"products"`
	Staff             *int   `json:"staff"`
	Domains           *int   `json:"domains"`
	RequestLogDays    int    `json:"request_log_days"`
	PictureMegabytes  *int   `json:"picture_megabytes"`
}

func (h *Billing) plans(_ context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	var list []plan
	for _, p := range h.Plans.All() {
		if after == "" {
			list = append(list, plan(p))
		} else if p.ID == after {
			after = ""
		}
	}
	list, next := page(list, req.Limit(50), func(p plan) string { return p.ID })
	return openapi.List(req, list, next)
}

// maxUsageDays bounds what one answer reports.
const maxUsageDays = 366

func (h *Billing) usage(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	to := clock.Now().Truncate(24 * time.Hour)
	// The contract has seen to the form of dates.
	if given, err := time.Parse(time.DateOnly, req.Query.Get("to")); err == nil {
		to = given
	}
	from := to.AddDate(0, 0, -29)
	if given, err := time.Parse(time.DateOnly, req.Query.Get("from")); err == nil {
		from = given
	}
	if from.After(to) || to.Sub(from) >= maxUsageDays*24*time.Hour {
		return nil, problem.New(problem.Invalid, "invalid_request", "The days asked for make no period.").
			At("?from", "range", "It is at most %d days before to, and not after it.", maxUsageDays-1)
	}
	used, err := h.Meter.Usage(ctx, from, to)
	if err != nil {
		return nil, err
	}
	type day struct {
		Date     string        `json:"date"`
		Requests int64         `json:"requests"`
		Orders   int64         `json:"orders"`
		Revenue  []money.Money `json:"revenue"`
	}
	return openapi.OK(map[string]any{
		"plan": plan(h.Plans.Get(req.Caller.Store.Plan)), "products": used.Products, "staff": used.Staff,
		"days": converted(used.Days, func(d billing.Day) day {
			return day{d.Date.Format(time.DateOnly), d.Requests, d.Orders, d.Revenue}
		}),
	}), nil
}
