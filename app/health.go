package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthPatience is how long a process may take to say how it is.
const healthPatience = 4 * time.Second

// Health asks the process that runs with the same settings on this machine whether it is
// ready, or, with live, only whether it lives, and fails when it is not. It is for
// containers, whose image has no other program to ask with.
func Health(live bool) Command {
	return func(ctx context.Context, config Config, _ Build, term Terminal) error {
		path := "/readyz"
		if live {
			path = "/healthz"
		}
		ctx, cancel := context.WithTimeout(ctx, healthPatience)
		defer cancel()
		status, said, err := ask(ctx, "http://"+dialable(config.Ops.Addr)+path)
		if err != nil {
			return fmt.Errorf("ask %s of %s: %w", path, config.Ops.Addr, err)
		}
		if status != http.StatusOK {
			return fmt.Errorf("it is not well: %s", said)
		}
		_, err = fmt.Fprintln(term.Out, said)
		return err
	}
}

// ask reads a page of the operations port.
func ask(ctx context.Context, address string) (status int, said string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return response.StatusCode, string(text), err
}

// dialable is where to reach a listener from its own machine.
func dialable(listener string) string {
	host, port, err := net.SplitHostPort(listener)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listener
}
