package handlers

import (
	"context"
	"net/http"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Analytics answers the operations on reports.
type Analytics struct {
	DB      *postgres.DB
	Reports *analytics.Service
}

// Operations are the handlers by operationId.
func (h *Analytics) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"getSalesReport":      h.report("sales", h.Reports.Sales),
		"getCustomerReport":   h.report("customers", h.Reports.Customers),
		"getConversionReport": h.report("conversion", h.Reports.Conversion),
		"getRefundReport":     h.report("refunds", h.Reports.Refunds),
		"getProductReport":    h.report("products", h.Reports.Products),
		"getCollectionReport": h.report("collections", h.Reports.Collections),
		"getDiscountReport":   h.report("discounts", h.Reports.Discounts),
		"getTaxReport":        h.report("taxes", h.Reports.Taxes),
		"getStockReport":      h.report("stock", h.Reports.Stock),
		"rebuildAnalytics":    h.rebuild,
	}
}

// report answers a report, as JSON or as a table.
func (h *Analytics) report(name string, read func(context.Context, analytics.Ask) (*analytics.Report, error)) openapi.Handler {
	return func(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
		q, top := req.Query, adminPage
		if n, err := strconv.Atoi(q.Get("top")); err == nil {
			top = n
		}
		report, err := read(ctx, analytics.Ask{
			From: q.Get("from"), To: q.Get("to"), Interval: q.Get("interval"), Compare: q.Get("compare"), Currency: q.Get("currency"),
			Sort: q.Get("sort"), Limit: top,
		})
		if err != nil {
			return nil, err
		}
		if gen.ReportFormat(q.Get("format")) != gen.ReportFormatCsv {
			return openapi.OK(report), nil
		}
		table, err := report.CSV()
		if err != nil {
			return nil, err
		}
		return openapi.OK(table).With("Content-Type", "text/csv; charset=utf-8").With("Content-Disposition", `attachment; filename="`+name+`.csv"`), nil
	}
}

func (h *Analytics) rebuild(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		zone, err := analytics.Again(ctx, tx)
		if err != nil {
			return nil, err
		}
		return &openapi.Response{Status: http.StatusAccepted, Body: gen.AnalyticsRebuild{TimeZone: zone, Rebuilding: true}}, nil
	})
}
