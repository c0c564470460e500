package spot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// script answers each look in turn; the last answer repeats.
type script struct {
	answers []func(ctx context.Context) (string, error)
	looks   int
}

func (s *script) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, _ ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	if in.Path != "spot/instance-action" {
		return nil, errors.New("another path: " + in.Path)
	}
	answer := s.answers[min(s.looks, len(s.answers)-1)]
	s.looks++
	text, err := answer(ctx)
	if err != nil {
		return nil, err
	}
	return &imds.GetMetadataOutput{Content: io.NopCloser(strings.NewReader(text))}, nil
}

// status is an answer of the metadata service.
type status int

func (s status) Error() string       { return http.StatusText(int(s)) }
func (s status) HTTPStatusCode() int { return int(s) }

func says(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

func fails(err error) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return "", err }
}

func hangs(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

const notice = `{"action": "terminate", "time": "2025-05-01T12:02:00Z"}`

func TestWatch(t *testing.T) {
	none := fails(status(http.StatusNotFound))
	at := time.Date(2025, 5, 1, 12, 2, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		answers []func(context.Context) (string, error)
		want    Notice
		took    time.Duration
		logged  int
	}{
		"at once":             {[]func(context.Context) (string, error){says(notice)}, Notice{"terminate", at}, 0, 0},
		"later":               {[]func(context.Context) (string, error){none, none, says(notice)}, Notice{"terminate", at}, 10 * time.Second, 0},
		"of another form":     {[]func(context.Context) (string, error){says("terminate")}, Notice{Action: "unknown"}, 0, 0},
		"after silence":       {[]func(context.Context) (string, error){fails(io.ErrUnexpectedEOF), fails(status(500)), says(notice)}, Notice{"terminate", at}, 10 * time.Second, 1},
		"after a hang":        {[]func(context.Context) (string, error){hangs, says(notice)}, Notice{"terminate", at}, 9 * time.Second, 1},
		"after two silences":  {[]func(context.Context) (string, error){fails(io.EOF), none, fails(io.EOF), fails(io.EOF), says(notice)}, Notice{"terminate", at}, 20 * time.Second, 2},
		"it may not be asked": {[]func(context.Context) (string, error){fails(status(403)), fails(status(403)), says(notice)}, Notice{"terminate", at}, 10 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				start := time.Now()
				got, err := Watch(t.Context(), &script{answers: tt.answers}, slog.New(slog.NewJSONHandler(&log, nil)))
				if err != nil || got != tt.want {
					t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if n := strings.Count(log.String(), "no instance metadata"); n != tt.logged {
					t.Errorf("said %d times that there is no metadata, want %d:\n%s", n, tt.logged, &log)
				}
			})
		})
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []func(context.Context) (string, error){hangs, fails(io.EOF)} {
			ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
			if n, err := Watch(ctx, &script{answers: []func(context.Context) (string, error){answer}}, slog.New(slog.DiscardHandler)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %+v, %v", n, err)
			}
			cancel()
		}
	})
}

// The SDK's client asks as IMDSv2 wants it, at the endpoint that the environment names.
func TestWatchOverHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
			_, _ = io.WriteString(w, "the token")
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "the token":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/latest/meta-data/spot/instance-action":
			_, _ = io.WriteString(w, notice)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "")
	got, err := Watch(t.Context(), imds.New(imds.Options{}), slog.New(slog.DiscardHandler))
	if err != nil || got.Action != "terminate" {
		t.Errorf("got %+v, %v", got, err)
	}
}
