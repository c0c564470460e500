package home

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
)

// server serves the handlers to this machine's trainers.
type server struct {
	endpoint string
	token    string
	http     *http.Server
	failed   chan error
}

// serve listens on the loopback interface; port 0 takes a free one. Only who knows the
// token, which is new in every run, is answered.
func serve(service *handler.Service, port int) (*server, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, input("--port %d is in use by another program: choose another, or 0 for any free one", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on the loopback interface: %w", err)
	}
	s := &server{
		endpoint: "http://" + listener.Addr().String(),
		token:    rand.Text(),
		failed:   make(chan error, 1),
	}
	s.http = &http.Server{Handler: handler.HTTP(service, s.token), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return s, nil
}

// close lets calls in flight end.
func (s *server) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.http.Shutdown(ctx) // a call that does not end in time is repeated by nobody: the trainers are gone
}
