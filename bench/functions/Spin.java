// As spin.h.
import java.io.IOException;
import java.io.PrintStream;

public class Spin {
    static long sum = 1;

    static void render_invoice() {
        long n = sum;
        for (int i = 0; i < 200_000; i++) {
            n = (n * 31 + i) % 1_000_003;
        }
        sum = n;
    }

    static void count_stock() {
        long n = sum;
        for (int i = 0; i < 200_000; i++) {
            n = (n * 17 + i) % 1_000_033;
        }
        sum = n;
    }

    static void say(PrintStream said, long begin, String name) {
        said.println(begin + " " + System.nanoTime() + " " + name);
    }

    public static void main(String[] arguments) throws IOException {
        try (PrintStream said = new PrintStream(arguments[0])) {
            long until = System.nanoTime() + Long.parseLong(arguments[1]) * 1_000_000_000L;
            while (System.nanoTime() < until) {
                long begin = System.nanoTime();
                while (System.nanoTime() < begin + 200_000_000) {
                    render_invoice();
                }
                say(said, begin, "render_invoice");
                begin = System.nanoTime();
                while (System.nanoTime() < begin + 200_000_000) {
                    count_stock();
                }
                say(said, begin, "count_stock");
            }
        }
    }
}
