// The service of bench/planted in Java.
import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URL;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

public class Service {
  static final Map<String, String> options = new HashMap<>();
  static final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  static final List<byte[]> held = new ArrayList<>();
  static final ThreadLocal<Socket> redis = ThreadLocal.withInitial(Service::connect);

  static int number(String name) { return Integer.parseInt(options.getOrDefault(name, "0")); }

  // Every twentieth request waits for about `tail` ms, every hundredth for `slow` ms.
  static void pause(long n, double tail, double slow) throws InterruptedException {
    double milliseconds = n % 20 == 0 ? tail * (0.9 + n * 0.0309 % 0.2) : n % 100 == 50 ? slow : 0;
    if (milliseconds > 0) Thread.sleep((long) milliseconds, (int) (milliseconds % 1 * 1_000_000));
  }

  static Socket connect() {
    try {
      String[] at = options.get("redis").split(":");
      return new Socket(at[0], Integer.parseInt(at[1]));
    } catch (Exception e) {
      throw new RuntimeException(e);
    }
  }

  static void call(boolean keep, String path) throws Exception {
    HttpURLConnection call = (HttpURLConnection) new URL("http://" + options.get("stock") + path).openConnection();
    if (!keep) call.setRequestProperty("Connection", "close");
    try (InputStream body = call.getResponseCode() < 400 ? call.getInputStream() : call.getErrorStream()) {
      body.readAllBytes();
    }
  }

  public static void main(String[] words) throws Exception {
    for (int i = 1; i < words.length; ++i) options.put(words[i].split("=")[0], words[i].split("=")[1]);
    int calls = number("calls"), connects = number("connects"), queries = number("queries"), leak = number("leak"), sleeps = number("sleeps");
    long spin = number("spin") * 1000L;
    double tail = Double.parseDouble(options.getOrDefault("tail", "0")), slow = Double.parseDouble(options.getOrDefault("slow", "0"));
    boolean errors = number("errors") > 0, failing = number("failing") > 0;
    byte[] body = new byte[number("bytes")];
    AtomicLong served = new AtomicLong();
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 64);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext("/pay", exchange -> {
      long n = served.incrementAndGet();
      String path = failing && n % 100 == 0 ? "/error" : "/stock/shirts";
      try {
        for (int i = 0; i < calls; ++i) call(true, path);
        for (int i = 0; i < connects; ++i) call(false, path);
        for (int i = 0; i < queries; ++i) {
          redis.get().getOutputStream().write("*2\r\n$3\r\nGET\r\n$1\r\na\r\n".getBytes());
          redis.get().getInputStream().read(new byte[100]);
        }
      } catch (Exception e) {
        throw new RuntimeException(e);
      }
      for (long until = threads.getCurrentThreadCpuTime() + spin; threads.getCurrentThreadCpuTime() < until;) {
      }
      if (leak > 0) {
        byte[] block = new byte[leak];
        Arrays.fill(block, (byte) 1);
        synchronized (held) {
          held.add(block);
        }
      }
      try {
        for (int i = 0; i < sleeps; ++i) Thread.sleep(0, 100_000);
        pause(n, tail, slow);
      } catch (InterruptedException e) {
        throw new RuntimeException(e);
      }
      exchange.sendResponseHeaders(errors && n % 100 == 0 ? 500 : 200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }
}
