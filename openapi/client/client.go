package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	mathrand "math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stoacommerce/stoa/openapi/gen"
)

// Client calls one platform with one credential. It may be used by many goroutines.
type Client struct {
	base     string
	header   http.Header
	http     *http.Client
	attempts int
}

// Option changes a client.
type Option func(*Client)

// WithHTTPClient has requests sent by another client than one that gives up after a minute.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithHeader adds a header to every request, such as Cart-Token or Accept-Language.
func WithHeader(name, value string) Option { return func(c *Client) { c.header.Set(name, value) } }

// WithAttempts sets how often a request is sent at most; three times, when left out.
func WithAttempts(n int) Option { return func(c *Client) { c.attempts = max(n, 1) } }

// New makes a client of the platform at an address, such as https://stoa.example.com, with a
// key, or without one for what needs none.
func New(address, key string, options ...Option) *Client {
	c := &Client{strings.TrimSuffix(address, "/"), http.Header{"User-Agent": {"stoa-go"}}, &http.Client{Timeout: time.Minute}, 3}
	if key != "" {
		c.header.Set("Authorization", "Bearer "+key)
	}
	for _, o := range options {
		o(c)
	}
	return c
}

// Error is why a request was not answered as asked.
type Error struct {
	gen.Problem
	Header http.Header
}

// Error says it for a person; Code is for programs.
func (e *Error) Error() string {
	said := e.Title
	if e.Detail != nil {
		said = *e.Detail
	}
	return fmt.Sprintf("%s: %s (%s)", e.Code, said, e.Header.Get("Request-Id"))
}

// Is reports whether an error is a problem with a code, such as "out_of_stock".
func Is(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && string(e.Code) == code
}

// segment is a value within a path.
func segment(value string) string { return url.PathEscape(value) }

// answer calls for one thing.
func answer[T any](ctx context.Context, c *Client, method, path string, params any, contentType string, body any) (*T, error) {
	var out T
	if err := c.call(ctx, method, path, params, contentType, body, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// either calls for one thing, or for another where it is answered that it is not done yet (202).
func either[T, U any](ctx context.Context, c *Client, method, path string, params any, contentType string, body any) (*T, *U, error) {
	response, err := c.send(ctx, method, path, params, contentType, body)
	if err != nil {
		return nil, nil, err
	}
	var done T
	var under U
	if response.StatusCode == http.StatusAccepted {
		return nil, &under, decode(response, &under)
	}
	return &done, nil, decode(response, &done)
}

// call sends a request and reads its answer as JSON, unless out is nil.
func (c *Client) call(ctx context.Context, method, path string, params any, contentType string, body, out any) error {
	response, err := c.send(ctx, method, path, params, contentType, body)
	if err != nil {
		return err
	}
	return decode(response, out)
}

func decode(response *http.Response, out any) error {
	defer response.Body.Close()
	if out == nil || response.StatusCode == http.StatusNotModified {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", response.Request.Method, response.Request.URL.Path, err)
	}
	return nil
}

// stream calls for what is no JSON. The caller closes it.
func (c *Client) stream(ctx context.Context, method, path string, params any, contentType string, body any) (io.ReadCloser, error) {
	response, err := c.send(ctx, method, path, params, contentType, body)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// send sends a request until it is answered for good.
func (c *Client) send(ctx context.Context, method, path string, params any, contentType string, body any) (*http.Response, error) {
	query, header := values(params)
	content, contentType, err := encode(contentType, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if method == http.MethodPost && header.Get("Idempotency-Key") == "" {
		header.Set("Idempotency-Key", rand.Text())
	}
	address := c.base + path
	if len(query) > 0 {
		mark := "?"
		if strings.Contains(path, mark) {
			mark = "&"
		}
		address += mark + query.Encode()
	}
	for attempt := 1; ; attempt++ {
		request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		request.Header = c.header.Clone()
		for name, list := range header {
			request.Header[name] = list
		}
		if contentType != "" {
			request.Header.Set("Content-Type", contentType)
		}
		response, err := c.http.Do(request)
		if err == nil && response.StatusCode < 400 {
			return response, nil
		}
		wait := pause(attempt)
		if err == nil {
			failed := failure(response)
			if !again(failed) {
				return nil, failed
			}
			if failed.RetryAfter != nil {
				wait = time.Duration(*failed.RetryAfter) * time.Second
			}
			err = failed
		}
		if attempt >= c.attempts || ctx.Err() != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		case <-time.After(wait):
		}
	}
}

// failure reads a problem.
func failure(response *http.Response) *Error {
	defer response.Body.Close()
	e := &Error{Header: response.Header}
	e.Status = response.StatusCode
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || kind != "application/problem+json" || json.Unmarshal(raw, &e.Problem) != nil {
		e.Code, e.Title = "unexpected_answer", response.Status
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && e.RetryAfter == nil {
		e.RetryAfter = &seconds
	}
	return e
}

// again is whether the same request may succeed in a moment.
func again(e *Error) bool {
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.Code == "idempotency_in_progress"
}

// pause is how long to wait after an attempt: twice as long each time, and never all at once.
func pause(attempt int) time.Duration {
	longest := 250 * time.Millisecond << min(attempt-1, 6)
	return longest/2 + mathrand.N(longest/2)
}

// all goes through the pages of a list.
func all[T, P any](params *P, page func(*P) ([]T, *string, error), next func(*P, *string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var at P
		if params != nil {
			at = *params
		}
		for {
			list, cursor, err := page(&at)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range list {
				if !yield(item, nil) {
					return
				}
			}
			if cursor == nil {
				return
			}
			next(&at, cursor)
		}
	}
}
