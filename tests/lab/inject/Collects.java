// Collects.java: serves with four threads, ends with its standard input. GET /collect has the JVM collect its garbage,
// which stops all threads for tens of milliseconds; other requests compute for about one. Prints its port.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;

public class Collects {
    static final Map<Integer, Object> live = new ConcurrentHashMap<>();

    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 600000; i++) live.put(i, new int[8]);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 100);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", exchange -> {
            long sum = 0;
            if (exchange.getRequestURI().getPath().startsWith("/collect")) System.gc();
            else for (int i = 0; i < 300000; i++) sum = sum * 31 + i;
            byte[] body = ("ok" + (sum & 1)).getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        System.out.println(server.getAddress().getPort());
        while (System.in.read() >= 0) {}
        System.exit(0);
    }
}
