package probe

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"
)

// NewClient is a client with cookies of its own, as a browser's, that follows no redirect.
func NewClient(timeout time.Duration) *http.Client {
	cookies, _ := cookiejar.New(nil) // it never fails
	return &http.Client{
		Timeout: timeout, Jar: jar{cookies}, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// jar keeps Secure cookies of plain HTTP too, as browsers do for localhost.
type jar struct{ http.CookieJar }

func secured(u *url.URL) *url.URL {
	copied := *u
	copied.Scheme = "https"
	return &copied
}

func (j jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(secured(u), cookies)
}

func (j jar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(secured(u)) }
