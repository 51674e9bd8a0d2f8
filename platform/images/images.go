// Package images turns pictures that somebody uploaded, or that lay at an address, into
// pictures that can be shown to anyone: judged by what they are rather than by what they
// are called, turned upright, freed of metadata (where and when they were taken, by
// whom), and made in a few sizes.
//
// It decodes in this process, with Go's own decoders, and so bounds what a picture may
// cost: bytes before reading on, pixels before decoding, and how many pictures are
// worked on at a time.
package images

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/semaphore"
)

// ErrRefused is what every refusal of a picture is, for errors.Is; errors.As with
// *Refused gives the reason. Other errors are faults of the reader or the context.
var ErrRefused = errors.New("picture refused")

// Reason is why a picture was refused. Reasons are stable and may be shown.
type Reason string

// The reasons.
const (
	TooManyBytes  Reason = "too_many_bytes"
	TooManyPixels Reason = "too_many_pixels"
	Unsupported   Reason = "unsupported_format"
	Damaged       Reason = "damaged"
)

// Refused is a refusal and its reason.
type Refused struct {
	Reason Reason
	Detail string // for people
}

// Error is the detail.
func (r *Refused) Error() string { return r.Detail }

// Is says that every refusal is ErrRefused.
func (r *Refused) Is(target error) bool { return target == ErrRefused }

// Options are the bounds and the sizes. Zero values have usable defaults.
type Options struct {
	Widths    []int // of the sizes made: 160, 480, 960 and 1600
	MaxBytes  int64 // of the picture as it comes: 20 MB
	MaxPixels int   // width × height: 40 million; half of it at 16 bits a channel
	MaxSide   int   // the longer side: 20,000
	Quality   int   // of JPEG: 86
	WebP      int   // quality of WebP: 82, which looks as good as JPEG at 86
	Parallel  int   // pictures worked on at a time: 1. The largest take 320 MB for a moment, a telephone's 100.
}

// withDefaults fills in what was left out and sorts the widths.
func (o Options) withDefaults() Options {
	if len(o.Widths) == 0 {
		o.Widths = []int{160, 480, 960, 1600}
	}
	o.Widths = slices.Sorted(slices.Values(o.Widths))
	o.MaxBytes = cmp.Or(o.MaxBytes, 20<<20)
	o.MaxPixels = cmp.Or(o.MaxPixels, 40_000_000)
	o.MaxSide = cmp.Or(o.MaxSide, 20_000)
	o.Quality = cmp.Or(o.Quality, 86)
	o.WebP = cmp.Or(o.WebP, 82)
	o.Parallel = cmp.Or(o.Parallel, 1)
	return o
}

// Picture is what was made of one.
type Picture struct {
	Format        string // what it came as: "jpeg", "png", "gif" or "webp"
	Width, Height int    // as it came, upright
	Sizes         []Size // from small to large, at least one
}

// Size is the picture in one size, as a file.
type Size struct {
	Width, Height int
	ContentType   string // image/png where the picture is transparent somewhere, else image/jpeg
	Extension     string // ".jpg" or ".png"
	Data          []byte
	WebP          []byte // the same as WebP, where that is smaller
}

// Processor makes pictures. It is safe for concurrent use.
type Processor struct {
	o     Options
	slots *semaphore.Weighted
}

// New makes a processor with these bounds.
func New(o Options) *Processor {
	o = o.withDefaults()
	return &Processor{o, semaphore.NewWeighted(int64(o.Parallel))}
}

// Process reads a picture and makes its sizes: each of the widths that it is wide enough
// for and, if it is less wide than the largest, its own. A picture is never enlarged. Of
// an animation the first frame is taken.
//
// It waits for its turn as long as ctx allows.
func (p *Processor) Process(ctx context.Context, r io.Reader) (*Picture, error) {
	data, err := io.ReadAll(io.LimitReader(r, p.o.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if int64(len(data)) > p.o.MaxBytes {
		return nil, &Refused{TooManyBytes, fmt.Sprintf("The picture is larger than %d MB.", p.o.MaxBytes>>20)}
	}
	format, err := judge(data, p.o)
	if err != nil {
		return nil, err
	}
	if err := p.slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait to process picture: %w", err)
	}
	defer p.slots.Release(1)

	img, err := format.decode(data)
	if err != nil {
		return nil, err
	}
	turn := orientation(format, data)
	out := &Picture{Format: format.name}
	out.Width, out.Height = turn.size(img.Bounds().Dx(), img.Bounds().Dy())
	if out.Sizes, err = p.sizes(ctx, img, turn, out.Width, out.Height); err != nil {
		return nil, err
	}
	return out, nil
}

// widths are the widths of the sizes made of a picture of this width, from large to small.
func (p *Processor) widths(width int) []int {
	var out []int
	for _, w := range p.o.Widths {
		out = append(out, min(w, width))
	}
	slices.Reverse(out)
	return slices.Compact(out)
}
