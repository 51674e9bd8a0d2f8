package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// CheckURL judges what can be judged of an address before anything is resolved, for the
// moment at which a merchant writes it down. Passing it promises nothing: the dial
// decides.
func (o Options) CheckURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &Refused{BadURL, "This is not a URL."}
	}
	if err := o.check(u); err != nil {
		return nil, err
	}
	return u, nil
}

// check judges a URL's scheme, credentials, port and, where its host is an IP address
// or localhost, that.
func (o Options) check(u *url.URL) error {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if u.Scheme != "http" && u.Scheme != "https" || host == "" {
		return &Refused{BadURL, "The URL must begin with https:// and name a host."}
	}
	if u.User != nil {
		return &Refused{BadURL, "The URL must not contain a user name or password."}
	}
	if u.Scheme == "http" && !o.AllowPlainHTTP {
		return &Refused{NotHTTPS, "The URL must begin with https://."}
	}
	g := newGuard(o)
	if text := u.Port(); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return &Refused{BadURL, "The URL's port is not a number from 1 to 65535."}
		}
		if err := g.port(uint16(port)); err != nil {
			return err
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.address(ip)
	}
	if local := host == "localhost" || strings.HasSuffix(host, ".localhost"); local && !o.AllowPrivate {
		return &Refused{NotPublic, "The address is not one of the public internet."}
	}
	return nil
}

// checked is a transport that judges every request, redirected ones too, and bounds
// every answer.
type checked struct {
	o    Options
	next http.RoundTripper
}

// RoundTrip judges the request, sends it and bounds the answer's body.
func (c *checked) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := c.o.check(req.URL); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper must, even when it fails
		}
		return nil, err
	}
	if req.Header.Get("User-Agent") == "" {
		req = req.Clone(req.Context())
		req.Header.Set("User-Agent", c.o.UserAgent)
	}
	res, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.ContentLength > c.o.MaxBytes {
		_ = res.Body.Close()
		return nil, tooLarge(c.o.MaxBytes)
	}
	res.Body = &bounded{ReadCloser: res.Body, left: c.o.MaxBytes, max: c.o.MaxBytes}
	return res, nil
}

// bounded is a body that fails once more than max bytes were read of it.
type bounded struct {
	io.ReadCloser
	left, max int64
}

// Read reads within the bound. One byte more is asked for, to tell an end from an excess.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, tooLarge(b.max)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, tooLarge(b.max)
	}
	return n, err
}

// tooLarge is the refusal of an answer longer than max bytes.
func tooLarge(max int64) *Refused {
	return &Refused{TooLarge, fmt.Sprintf("The answer is larger than %d bytes.", max)}
}

// ErrStatus is what Fetch fails with when the answer is anything but a 200.
var ErrStatus = errors.New("the address did not answer with 200")

// Status is the status that an address answered with in place of 200. It is ErrStatus.
type Status int

// Error names the status.
func (s Status) Error() string { return fmt.Sprintf("%v: %d", ErrStatus, int(s)) }

// Is says that every Status is ErrStatus.
func (s Status) Is(target error) bool { return target == ErrStatus }

// Fetch gets a whole body, bounded as the client is.
func Fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Refused{BadURL, "This is not a URL."}
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, Status(res.StatusCode)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return body, nil
}
