package handlers

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// Requests answers for the calls that a store was asked.
type Requests struct{ Log *requestlog.Log }

// Operations are the handlers by operationId.
func (h *Requests) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{"listRequests": h.list, "getRequest": h.get, "replayRequest": h.replay}
}

func (h *Requests) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	filter := requestlog.Filter{
		Operation: req.Query.Get("operation"), Method: req.Query.Get("method"), Path: req.Query.Get("path"),
		ActorID: req.Query.Get("actor_id"), Code: req.Query.Get("error_code"), After: after, Limit: req.Limit(adminPage),
	}
	// The contract has seen to the form of all of these; a missing one is zero.
	filter.Since, _ = time.Parse(time.RFC3339Nano, req.Query.Get("since"))
	filter.Until, _ = time.Parse(time.RFC3339Nano, req.Query.Get("until"))
	switch status := req.Query.Get("status"); {
	case status == "":
	case status[1:] == "xx":
		class := int(status[0]-'0') * 100
		filter.Least, filter.Most = class, class+99
	default:
		filter.Least, _ = strconv.Atoi(status)
		filter.Most = filter.Least
	}
	page, err := h.Log.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

// shownRequest is the contract's LoggedRequest with what was said.
type shownRequest struct {
	Query        string            `json:"query"`
	Headers      map[string]string `json:"headers"`
	IP           *string           `json:"ip"`
	RequestBody  json.RawMessage   `json:"request_body"`
	ResponseBody json.RawMessage   `json:"response_body"`
}

func (h *Requests) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	kept, err := h.Log.Get(ctx, req.Param("request_id"))
	if err != nil {
		return nil, err
	}
	shown := shownRequest{Query: kept.Query.Encode(), Headers: kept.Headers, IP: orNil(kept.IP), RequestBody: kept.Request, ResponseBody: kept.Response}
	if shown.Headers == nil {
		shown.Headers = map[string]string{}
	}
	more, err := json.Marshal(shown)
	if err != nil {
		return nil, err
	}
	return openapi.OK(append(append(kept.Shown[:len(kept.Shown)-1:len(kept.Shown)-1], ','), more[1:]...)), nil
}

func (h *Requests) replay(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	kept, err := h.Log.Get(ctx, req.Param("request_id"))
	if err != nil {
		return nil, err
	}
	came, err := openapi.Replay(ctx, req, kept)
	if err != nil {
		return nil, err
	}
	res := openapi.OK(struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	}{came.Status, came.Body}).With("Dry-Run", "true")
	for _, name := range []string{"Dry-Run-Rows", "Dry-Run-Events"} {
		if value := came.Header.Get(name); value != "" {
			res.With(name, value)
		}
	}
	return res, nil
}
