// Package client calls a Stoa platform in Go: a method for each operation of its contract, with
// the contract's types, generated from it.
//
//	stoa := client.New("https://stoa.example.com", "stoa_sk_…")
//	for product, err := range stoa.ListProductsAll(ctx, nil) {
//		…
//	}
//
// What fails is an *Error with the stable code of the problem. Writes carry a key of idempotency,
// so that a request whose answer was lost is sent again without being done again; so are those
// that the platform asks to send later.
package client
