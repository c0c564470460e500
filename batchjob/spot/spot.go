// Package spot hears from an instance of EC2 that it will be taken away: a Spot instance is
// told two minutes before.
package spot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/supermax-hpo/supermax/shared/pause"
)

const (
	// noticePath is described in "Spot Instance interruption notices" of the EC2 user guide,
	// which advises to look every five seconds.
	noticePath   = "spot/instance-action"
	pollEvery    = 5 * time.Second
	pollTimeout  = 4 * time.Second
	maxNoticeLen = 1 << 10
)

// ErrInterrupted is the cause of a context's end when the instance is taken away.
var ErrInterrupted = errors.New("the Spot instance is being taken away")

// A Notice says what happens to the instance, and when.
type Notice struct {
	Action string    `json:"action"` // terminate, stop or hibernate
	Time   time.Time `json:"time"`
}

// Metadata is the one call of [imds.Client] that a watcher makes.
type Metadata interface {
	GetMetadata(ctx context.Context, in *imds.GetMetadataInput, opts ...func(*imds.Options)) (*imds.GetMetadataOutput, error)
}

// Watch waits for the instance's notice and returns it, or ctx's error. Where there is no
// instance metadata (a machine that is none of EC2's, or a container that may not reach it)
// it says so once in the log and goes on looking.
func Watch(ctx context.Context, m Metadata, log *slog.Logger) (Notice, error) {
	told := false
	for {
		notice, err := look(ctx, m)
		switch {
		case ctx.Err() != nil:
			return Notice{}, ctx.Err()
		case err == nil && notice.Action != "":
			return notice, nil
		case err == nil:
			told = false
		case !told:
			told = true
			log.Info("no instance metadata: a Spot notice would not be seen", "reason", err.Error())
		}
		if err := pause.For(ctx, pollEvery); err != nil {
			return Notice{}, err
		}
	}
}

// look asks once. No notice is an empty one.
func look(ctx context.Context, m Metadata) (Notice, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	out, err := m.GetMetadata(ctx, &imds.GetMetadataInput{Path: noticePath},
		func(o *imds.Options) { o.Retryer = aws.NopRetryer{} }) // the next look is near
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) && answered.HTTPStatusCode() == http.StatusNotFound {
		return Notice{}, nil
	}
	if err != nil {
		return Notice{}, err
	}
	data, err := io.ReadAll(io.LimitReader(out.Content, maxNoticeLen))
	if cerr := out.Content.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return Notice{}, fmt.Errorf("read the notice: %w", err)
	}
	notice := Notice{Action: "unknown"} // whatever its form, it is a notice
	_ = json.Unmarshal(data, &notice)
	return notice, nil
}
